import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** The zstd of batch files (docs/format.md, "Batch files"). */
export const compress = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

/** Never expands beyond `sizeBytes`. */
export const decompress = (bytes: Uint8Array, sizeBytes: number): Uint8Array =>
  zstdDecompressSync(bytes, { maxOutputLength: Math.max(sizeBytes, 1) })
