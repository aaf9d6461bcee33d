/**
 * Writes compressed forms beside the built files, as small as they get: the server sends them as they are, and
 * compresses nothing when it is asked (`src/web.rs`). A form that saves little is not written.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const FORMS = {
  br: (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes: Buffer) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
}
/** Of its size, to be worth a form of its own. */
const SAVED_MIN = 0.1

export function compressed(): Plugin {
  let folder = 'dist'
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle: ({ dir = folder }) => {
      folder = dir
    },
    // When every other plugin has written its files.
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
        await Promise.all(files.map(({ parentPath, name }) => writeForms(join(parentPath, name))))
      },
    },
  }
}

async function writeForms(file: string): Promise<void> {
  const bytes = readFileSync(file)
  for (const [ending, compress] of Object.entries(FORMS)) {
    const form = await compress(bytes)
    if (form.length < bytes.length * (1 - SAVED_MIN)) writeFileSync(`${file}.${ending}`, form)
  }
}
