/** The checksum of TensorFlow's records. @module */

const POLYNOMIAL = 0x82f63b78

let table: Uint32Array | undefined

/** CRC-32C (Castagnoli) of bytes. @see RFC 3720, appendix B.4 */
function crc32c(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    return value
  })
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!
  return ~crc >>> 0
}

/** The checksum as it stands in a record: rotated and shifted, for a checksum of checksums is not safe. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
