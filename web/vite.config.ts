import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { compressed } from './compressed.ts'

const server = 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), tailwindcss(), serviceWorker(), compressed()],
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

/** Writes the service worker beside the built files and tells it what they are. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    writeBundle: {
      order: 'post',
      handler({ dir = 'dist' }) {
        const source = readFileSync('src/offline/service-worker.js', 'utf8')
        const files = readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && entry.name !== 'service-worker.js')
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
        const version = createHash('sha256')
        for (const file of files) version.update(file).update(readFileSync(file))
        const shell = {
          version: version.digest('hex').slice(0, 16),
          files: files.map((file) => file.slice(dir.length)),
        }
        writeFileSync(join(dir, 'service-worker.js'), source.replace('__SHELL__', JSON.stringify(shell)))
      },
    },
  }
}
