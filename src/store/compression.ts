import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** The zstd of batch files (docs/format.md, "Batch files"). */
export const compress = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

/** Room beyond what is expected: where it is not used, zlib knows that it is done. It takes no less than 64 bytes. */
const SPARE_BYTES = 64

/** Never expands beyond `sizeBytes`, and does it in one piece. */
export const decompress = (bytes: Uint8Array, sizeBytes: number): Uint8Array =>
  zstdDecompressSync(bytes, {
    maxOutputLength: Math.max(sizeBytes, 1),
    chunkSize: sizeBytes + SPARE_BYTES,
  })
