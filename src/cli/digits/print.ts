/** Digits and tables on the terminal. @module */

/** Precision, recall and F1 of each class. */
export function perClassTable(confusion: number[][]): string {
  const lines = ['class  precision  recall      F1  images']
  confusion.forEach((row, label) => {
    const hits = row[label]!
    const images = sum(row)
    const claimed = sum(confusion.map((other) => other[label]!))
    const precision = claimed > 0 ? hits / claimed : 0
    const recall = images > 0 ? hits / images : 0
    const f1 = hits > 0 ? (2 * precision * recall) / (precision + recall) : 0
    const [p, r, f] = [precision, recall, f1].map((value) => value.toFixed(4))
    lines.push(
      `${String(label).padStart(5)}  ${p!.padStart(9)}  ${r!.padStart(6)}  ${f!.padStart(6)}  ${String(images).padStart(6)}`,
    )
  })
  return `${lines.join('\n')}\n`
}

/** Counts by true class (down) and predicted class (across). */
export function confusionTable(confusion: number[][]): string {
  const cell = (value: number | string) => String(value).padStart(5)
  const head = `true\\said${confusion.map((_, label) => cell(label)).join('')}`
  const rows = confusion.map((row, label) => `${String(label).padStart(9)}${row.map((n) => cell(n || '·')).join('')}`)
  return `${[head, ...rows].join('\n')}\n`
}

const SHADES = ' ░▒▓█'

/**
 * Images side by side, two rows of pixels a line, with the predicted class below.
 *
 * @param pixels - float32 in 0..1, `[n, 28, 28, 1]`.
 */
export function drawDigits(pixels: Float32Array, predicted: ArrayLike<number>, truth: ArrayLike<number>): string {
  const count = pixels.length / 784
  const lines: string[] = []
  for (let y = 0; y < 28; y += 2) {
    let line = ''
    for (let i = 0; i < count; i++) {
      for (let x = 0; x < 28; x++) {
        const at = i * 784 + y * 28 + x
        const shade = (pixels[at]! + pixels[at + 28]!) / 2
        line += SHADES[Math.min(SHADES.length - 1, Math.round(shade * (SHADES.length - 1)))]
      }
      line += ' '
    }
    lines.push(line.trimEnd())
  }
  const captions = Array.from({ length: count }, (_, i) => `${predicted[i]} (is ${truth[i]})`.padStart(18).padEnd(29))
  return `${lines.join('\n')}\n${captions.join('').trimEnd()}\n`
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
