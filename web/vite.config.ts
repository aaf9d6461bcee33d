import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
      '/collab': { target: server, ws: true },
    },
  },
  build: {
    target: 'es2022',
    // The Content-Security-Policy of the server allows no `data:` fonts in styles and no inline scripts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1700,
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
})
