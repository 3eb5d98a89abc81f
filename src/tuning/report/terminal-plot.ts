/** A curve in characters. @module */

/** Where a curve is drawn. */
export interface TerminalPlotOptions {
  /** Characters across. @default 64 */
  width?: number
  /** Lines. @default 12 */
  height?: number
  /** What stands under the curve's left and right end. */
  ends: readonly [string, string]
  /** Index of the point to point at. */
  mark?: number
}

/** Draws values, evenly spaced, with the largest and the least written beside them and one marked by a line. */
export function terminalPlot(values: readonly number[], options: TerminalPlotOptions): string {
  const { width = 64, height = 12, ends, mark } = options
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const columnOf = (index: number) => Math.round((index / Math.max(1, values.length - 1)) * (width - 1))
  const lines = Array.from({ length: height }, () => new Array<string>(width).fill(' '))
  if (mark !== undefined) for (const line of lines) line[columnOf(mark)] = '┊'
  values.forEach((value, index) => {
    const up = high === low ? 0 : Math.round(((value - low) / (high - low)) * (height - 1))
    lines[height - 1 - up]![columnOf(index)] = '•'
  })
  const labels = [high, low].map((value) => value.toPrecision(4))
  const margin = Math.max(...labels.map(({ length }) => length))
  const body = lines.map((line, i) => {
    const label = i === 0 ? labels[0]! : i === height - 1 ? labels[1]! : ''
    return `${label.padStart(margin)} │${line.join('').trimEnd()}`
  })
  const gap = Math.max(1, width - ends[0].length - ends[1].length)
  return [
    ...body,
    `${' '.repeat(margin)} └${'─'.repeat(width)}`,
    `${' '.repeat(margin + 2)}${ends[0]}${' '.repeat(gap)}${ends[1]}`,
  ].join('\n')
}
