/** The plots of a study. @module */

import { draw, font, type Palette } from '../../evaluation/index.js'
import type { Axis, Params } from '../space/index.js'
import { type Direction, lossOf, type TrialRecord } from '../study/index.js'

/** A complete trial. */
export type Outcome = TrialRecord & { readonly params: Params; readonly values: readonly number[] }

/** Values by trial, and the best so far. */
export function historyPlot(outcomes: readonly Outcome[], direction: Direction, palette: Palette): string {
  let best = Number.POSITIVE_INFINITY
  const steps = outcomes.map(({ number, values }) => {
    best = Math.min(best, lossOf(values[0]!, direction))
    return [number, lossOf(best, direction)]
  })
  return draw(940, 320, {
    legend: { top: 0, right: 8, itemGap: 28, textStyle: { color: palette.text, fontFamily: font } },
    grid: { left: 72, right: 20, top: 40, bottom: 44 },
    xAxis: { ...axisStyle(palette), type: 'value', name: 'trial', minInterval: 1 },
    yAxis: { ...axisStyle(palette), type: 'value', scale: true },
    series: [
      {
        type: 'scatter',
        name: 'trial',
        data: outcomes.map(({ number, values }) => [number, values[0]!]),
        symbolSize: 8,
        itemStyle: { color: palette.series[0]!, opacity: 0.6 },
      },
      {
        type: 'line',
        name: 'best so far',
        data: steps,
        step: 'end',
        symbol: 'none',
        lineStyle: { width: 2.5 },
        color: palette.series[1]!,
      },
    ],
  })
}

/** The first two values of each trial, those of the Pareto front marked. */
export function frontPlot(outcomes: readonly Outcome[], front: ReadonlySet<number>, palette: Palette): string {
  const series = (name: string, onFront: boolean, color: string) => ({
    type: 'scatter' as const,
    name,
    data: outcomes.filter(({ number }) => front.has(number) === onFront).map(({ values }) => [values[0]!, values[1]!]),
    symbolSize: onFront ? 10 : 7,
    itemStyle: { color, opacity: onFront ? 1 : 0.5 },
  })
  return draw(940, 420, {
    legend: { top: 0, right: 8, itemGap: 28, textStyle: { color: palette.text, fontFamily: font } },
    grid: { left: 72, right: 20, top: 40, bottom: 44 },
    xAxis: { ...axisStyle(palette), type: 'value', scale: true, name: 'value 1' },
    yAxis: { ...axisStyle(palette), type: 'value', scale: true, name: 'value 2', nameLocation: 'end' },
    series: [series('others', false, palette.series[0]!), series('Pareto front', true, palette.series[1]!)],
  })
}

/** A line per trial through the values of all parameters, coloured by what they gave. */
export function parallelPlot(outcomes: readonly Outcome[], axes: readonly Axis[], palette: Palette): string {
  const scores = outcomes.map(({ values }) => values[0]!)
  const label = { color: palette.faint, fontFamily: font, formatter: tickOf }
  const line = { lineStyle: { color: palette.line } }
  const style = { axisLine: line, axisTick: line, axisLabel: label, nameTextStyle: { ...label, color: palette.text } }
  return draw(940, 380, {
    parallel: { left: 60, right: 60, top: 40, bottom: 24 },
    parallelAxis: [
      ...axes.map((axis, dim) => ({ dim, name: axis.name, ...scaleOf(axis), ...style })),
      { dim: axes.length, name: 'value', type: 'value' as const, scale: true, ...style },
    ],
    visualMap: {
      show: false,
      dimension: axes.length,
      ...quantileRange(scores),
      inRange: { color: [palette.series[1]!, palette.series[0]!] },
    },
    series: [
      {
        type: 'parallel',
        lineStyle: { width: 1.4, opacity: 0.45 },
        data: outcomes.map(({ params, values }) => [...axes.map((axis) => placeOf(axis, params)), values[0]!]),
      },
    ],
  })
}

/** What each value of one parameter gave. */
export function slicePlot(outcomes: readonly Outcome[], axis: Axis, palette: Palette): string {
  return draw(300, 240, {
    grid: { left: 56, right: 12, top: 12, bottom: 36 },
    xAxis: { ...axisStyle(palette), ...scaleOf(axis) },
    yAxis: { ...axisStyle(palette), type: 'value', scale: true },
    series: [
      {
        type: 'scatter',
        symbolSize: 6,
        itemStyle: { color: palette.series[0]!, opacity: 0.6 },
        data: outcomes
          .filter(({ params }) => axis.name in params)
          .map(({ params, values }) => [placeOf(axis, params), values[0]!]),
      },
    ],
  })
}

/** The values that trials reported on their way; those that were pruned in another colour. */
export function coursePlot(trials: readonly TrialRecord[], palette: Palette): string {
  return draw(940, 320, {
    grid: { left: 72, right: 20, top: 16, bottom: 44 },
    xAxis: { ...axisStyle(palette), type: 'value', name: 'step', minInterval: 1 },
    yAxis: { ...axisStyle(palette), type: 'value', scale: true },
    series: trials.map(({ state, reports }) => ({
      type: 'line',
      data: reports.map(({ step, value }) => [step, value]),
      symbolSize: reports.length === 1 ? 5 : 0,
      lineStyle: { width: 1.4, opacity: 0.6 },
      itemStyle: { opacity: 0.6 },
      color: palette.series[state === 'complete' ? 0 : 1]!,
    })),
  })
}

const axisStyle = (palette: Palette) => {
  const label = { color: palette.faint, fontFamily: font }
  return {
    nameLocation: 'middle' as const,
    nameGap: 28,
    nameTextStyle: label,
    axisLabel: { ...label, formatter: tickOf },
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: palette.line } },
  }
}

/** Choices stand side by side, numbers on their own scale. */
function scaleOf({ parameter }: Axis) {
  if (parameter.kind === 'choice')
    return { type: 'category' as const, data: parameter.choices.map((value) => nameOf(value)) }
  const { low, high, log } = parameter
  // The labels of a logarithmic axis are powers of ten only where its ends are.
  const ends = log
    ? { min: 10 ** Math.floor(Math.log10(low)), max: 10 ** Math.ceil(Math.log10(high)) }
    : { min: low, max: high }
  return { type: log ? ('log' as const) : ('value' as const), ...ends }
}

/** Where a value stands on the axis; a gap where the parameter is absent. */
function placeOf({ name, parameter }: Axis, params: Params): number | string {
  const value = params[name]
  if (value === undefined) return '-'
  return parameter.kind === 'choice' ? nameOf(value) : (value as number)
}

/** Powers of ten come as 0.000099999. */
const tickOf = (value: string | number) => (typeof value === 'number' ? String(Number(value.toPrecision(6))) : value)

const nameOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** The range without the worst and best of a long tail, which would take all the colour. */
function quantileRange(scores: readonly number[]): { min: number; max: number } {
  const sorted = [...scores].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  return { min: at(0.02), max: at(0.9) }
}
