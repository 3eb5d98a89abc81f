/** Digits on the terminal. @module */

const SHADES = ' ░▒▓█'

/**
 * Images side by side, two rows of pixels a line, with the predicted class below.
 *
 * @param pixels - 0..255, `[n, 28, 28, 1]`.
 */
export function drawDigits(pixels: ArrayLike<number>, predicted: ArrayLike<number>, truth: ArrayLike<number>): string {
  const count = pixels.length / 784
  const lines: string[] = []
  for (let y = 0; y < 28; y += 2) {
    let line = ''
    for (let i = 0; i < count; i++) {
      for (let x = 0; x < 28; x++) {
        const at = i * 784 + y * 28 + x
        const shade = (pixels[at]! + pixels[at + 28]!) / 510
        line += SHADES[Math.min(SHADES.length - 1, Math.round(shade * (SHADES.length - 1)))]
      }
      line += ' '
    }
    lines.push(line.trimEnd())
  }
  const captions = Array.from({ length: count }, (_, i) => `${predicted[i]} (is ${truth[i]})`.padStart(18).padEnd(29))
  return `${lines.join('\n')}\n${captions.join('').trimEnd()}\n`
}
