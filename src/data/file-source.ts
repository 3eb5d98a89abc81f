/** Files of a disk. @module */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type ByteSource, type OpenSource, webSource } from './byte-source.js'

/** What Node has: paths, addresses (`file:` too) and Blobs. */
export const fileSource: OpenSource = (file) => {
  if (file instanceof URL && file.protocol === 'file:') return pathSource(fileURLToPath(file))
  return typeof file === 'string' && !/^https?:/.test(file) ? pathSource(file) : webSource(file)
}

function pathSource(path: string): ByteSource {
  return {
    name: path,
    async *stream() {
      yield* createReadStream(path)
    },
    async random() {
      const file = await open(path)
      const { size } = await file.stat()
      return {
        byteLength: size,
        async slice(start, end = size) {
          const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start))
          for (let filled = 0; filled < bytes.length; ) {
            const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
            if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}`)
            filled += bytesRead
          }
          return bytes.buffer
        },
        close: () => file.close(),
      }
    },
  }
}
