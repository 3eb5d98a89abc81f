/** What unpacks the buffers of Arrow files. @module */

import type { Codec } from 'apache-arrow'
import { loadPackage } from './optional-package.js'

type Arrow = typeof import('apache-arrow')

/** What is used of `lz4js`. */
interface Lz4 {
  decompress(frame: Uint8Array): Uint8Array
}

/**
 * Registers what unpacks ZSTD and frames of LZ4, for the whole process, unless the user has registered something.
 *
 * Without the package `lz4js`, the first buffer in LZ4 is a `ConfigError` that says how to install it.
 */
export async function registerCodecs({ compressionRegistry, CompressionType }: Arrow): Promise<void> {
  for (const [type, load] of [
    [CompressionType.ZSTD, zstd],
    [CompressionType.LZ4_FRAME, lz4],
  ] as const)
    if (!compressionRegistry.get(type)) compressionRegistry.set(type, await load())
}

async function zstd(): Promise<Codec> {
  const { compressors } = await import('hyparquet-compressors')
  // The bytes say themselves how long they are unpacked. The copy begins where numbers of 64 bits may.
  return { decode: (bytes) => compressors.ZSTD!(bytes, 0).slice() }
}

/** Blocks of a frame refer to those before them, which what unpacks Parquet does not know. */
async function lz4(): Promise<Codec> {
  const loaded = loadPackage<Lz4>('lz4js', 'An Arrow file packed by LZ4')
  const found = await loaded.catch((missing: Error) => missing)
  return {
    decode(bytes) {
      if (found instanceof Error) throw found
      return found.decompress(bytes)
    },
  }
}
