/** A profile as a table for a terminal. @module */

import type { ProfileCall, ProfileFigures } from './profile.js'

const TIMES = 'Times are the shortest of all repeats.'
/** Lines of the table; what is cheaper shares one more. */
const MAX_GROUPS = 30

/** Calls of the same kernel on the same shape. */
interface Group {
  kernel: string
  shape: string
  calls: number
  ms: number
  flops: number
  bytes: number
}

/** The table, with a headline on top and how to read it below. */
export function formatProfile(profile: ProfileFigures): string {
  const { rows, calls, stepMs, recordedCalls, plannedCalls, programBytes, peakGflops } = profile
  const total = calls.reduce((sum, { ms }) => sum + ms, 0)
  const groups = groupsOf(calls)
  const rest = groups.length > MAX_GROUPS + 1 ? groups.splice(MAX_GROUPS) : []
  const lines = groups.map((group) => [
    group.kernel,
    group.shape,
    String(group.calls),
    milliseconds(group.ms),
    percent(group.ms / total),
    speed(group),
    peakGflops !== undefined && group.flops > 0 && group.ms > 0 ? percent(gflops(group) / peakGflops) : '',
  ])
  if (rest.length > 0) lines.push(sumLine(`${rest.length} more`, rest, total))
  const table = align([
    ['kernel', 'shape', 'calls', 'ms', 'step', 'speed', peakGflops === undefined ? '' : 'of peak'],
    ...lines,
    sumLine('total', [...groups, ...rest], total),
  ])
  const rule = '-'.repeat(Math.max(...table.map((line) => line.length)))
  return [
    `One step of ${count(rows)} rows takes ${stepMs.toPrecision(3)} ms: ${count((rows / stepMs) * 1000)} rows per second.`,
    `${count(recordedCalls)} recorded calls became a program of ${count(plannedCalls)}, in ${bytes(programBytes)} of memory.`,
    '',
    table[0]!,
    rule,
    ...table.slice(1, -1),
    rule,
    table.at(-1)!,
    '',
    `${peakGflops === undefined ? '' : `Peak: ${peakGflops.toFixed(1)} GFLOP/s, a product of 256x256x256. `}${TIMES}`,
  ].join('\n')
}

/** The costliest first. */
function groupsOf(calls: readonly ProfileCall[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { kernel, shape, ms, flops, bytes } of calls) {
    const key = `${kernel} ${shape}`
    const group = groups.get(key) ?? { kernel, shape, calls: 0, ms: 0, flops: 0, bytes: 0 }
    group.calls++
    group.ms += ms
    group.flops += flops
    group.bytes += bytes
    groups.set(key, group)
  }
  return [...groups.values()].sort((a, b) => b.ms - a.ms)
}

function sumLine(name: string, groups: readonly Group[], total: number): string[] {
  const ms = groups.reduce((sum, group) => sum + group.ms, 0)
  const calls = groups.reduce((sum, group) => sum + group.calls, 0)
  return [name, '', String(calls), milliseconds(ms), percent(ms / total), '', '']
}

/** Names to the left, figures to the right. */
function align(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

const gflops = ({ flops, ms }: Group): number => flops / (ms * 1e6)

function speed(group: Group): string {
  if (group.ms === 0) return ''
  if (group.flops > 0) return `${gflops(group).toFixed(1)} GFLOP/s`
  return group.bytes > 0 ? `${(group.bytes / (group.ms * 1e6)).toFixed(1)} GB/s   ` : ''
}

const milliseconds = (ms: number): string => ms.toFixed(4)
const percent = (share: number): string => `${(share * 100).toFixed(1)}%`
const count = (value: number): string => Math.round(value).toLocaleString('en')

function bytes(value: number): string {
  if (value < 2 ** 10) return `${value} bytes`
  return value < 2 ** 20 ? `${(value / 2 ** 10).toFixed(1)} KiB` : `${(value / 2 ** 20).toFixed(1)} MiB`
}
