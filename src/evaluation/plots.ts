/** The plots of an evaluation. @module */

import type { ConfusionMatrix } from '../metrics/index.js'
import { draw, font, type Palette, type PlotOption } from './draw.js'

/** Measurements of one epoch, by name; `val_` marks those on validation data. */
export type HistoryRecord = Readonly<Record<string, number>>

/** Counts by true class (down) and predicted class (across), darker where more of the class's rows are. */
export function confusionPlot(matrix: ConfusionMatrix, classes: readonly string[], palette: Palette): string {
  const cells = matrix.flatMap((row, i) => {
    const total = row.reduce((sum, value) => sum + value, 0) || 1
    return row.map((value, j) => ({
      // Equal shares read as equal colours, however large a class is; the root shows the rare mistakes.
      value: [j, i, Math.sqrt(value / total)],
      label: { color: value / total > 0.25 ? '#fff' : palette.text, formatter: value === 0 ? '' : shorten(value) },
    }))
  })
  const axis = {
    type: 'category' as const,
    data: [...classes],
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: palette.text, fontFamily: font },
    nameLocation: 'middle' as const,
    nameTextStyle: { color: palette.faint, fontFamily: font, fontSize: 13 },
  }
  const cell = Math.max(28, Math.min(56, Math.floor(640 / classes.length)))
  const side = cell * classes.length
  return draw(side + 90, side + 80, {
    grid: { left: 70, top: 10, width: side, height: side },
    xAxis: { ...axis, name: 'predicted class', nameGap: 32 },
    yAxis: { ...axis, name: 'true class', nameGap: 48, inverse: true },
    visualMap: { show: false, min: 0, max: 1, inRange: { color: [...palette.heat] } },
    series: [
      {
        type: 'heatmap',
        data: cells,
        label: { show: true, fontFamily: font, fontSize: cell < 36 ? 9 : 12 },
        itemStyle: { borderWidth: 2, borderColor: palette.line, borderRadius: 4 },
      },
    ],
  })
}

/** One measurement over the epochs, on training and validation data. */
export function curvePlot(epochs: readonly HistoryRecord[], name: string, palette: Palette): string {
  const series = [name, `val_${name}`]
    .filter((key) => epochs.some((epoch) => epoch[key] !== undefined))
    .map((key, i) => ({
      type: 'line' as const,
      name: key === name ? 'training' : 'validation',
      data: epochs.map((epoch, index) => [index + 1, epoch[key] ?? null]),
      smooth: 0.2,
      symbolSize: 6,
      lineStyle: { width: 2.5 },
      color: palette.series[i]!,
    }))
  return linePlot(series, palette, {
    x: { name: 'epoch', min: 1, max: Math.max(epochs.length, 2), minInterval: 1 },
    y: { scale: true },
  })
}

/** A named line through points. */
export interface Line {
  name: string
  points: readonly (readonly [x: number, y: number])[]
}

/**
 * Lines within the unit square, such as ROC curves.
 *
 * @param diagonal - Also draws x = y, faint.
 */
export function unitPlot(
  lines: readonly Line[],
  { x, y, diagonal }: { x: string; y: string; diagonal: boolean },
  palette: Palette,
): string {
  const series = lines.map(({ name, points }, i) => ({
    type: 'line' as const,
    name,
    data: points.map(([left, up]) => [left, up]),
    showSymbol: points.length <= 20,
    symbolSize: 6,
    lineStyle: { width: 2 },
    color: palette.series[i % palette.series.length]!,
  }))
  const guide = {
    type: 'line' as const,
    data: [
      [0, 0],
      [1, 1],
    ],
    showSymbol: false,
    color: palette.faint,
    lineStyle: { width: 1, type: 'dashed' as const },
  }
  return linePlot([...series, ...(diagonal ? [guide] : [])], palette, {
    x: { name: x, min: 0, max: 1 },
    y: { name: y, nameLocation: 'middle', nameGap: 38, min: 0, max: 1 },
  })
}

/** How important features are, the most important on top, each with its spread. */
export function barPlot(
  bars: readonly { name: string; value: number; deviation: number }[],
  axis: string,
  palette: Palette,
): string {
  const label = { color: palette.faint, fontFamily: font }
  const longest = Math.max(...bars.map(({ name }) => name.length))
  const left = Math.min(260, 24 + longest * 7)
  return draw(left + 480, 60 + bars.length * 24, {
    grid: { left, right: 110, top: 8, bottom: 44 },
    xAxis: {
      type: 'value',
      name: axis,
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: label,
      axisLabel: label,
      splitLine: { lineStyle: { color: palette.line } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ name }) => name),
      axisLabel: { color: palette.text, fontFamily: font, width: left - 16, overflow: 'truncate' },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: palette.line } },
    },
    series: [
      {
        type: 'bar',
        data: bars.map(({ value }) => value),
        color: palette.series[0]!,
        barWidth: 14,
        label: {
          show: true,
          position: 'right',
          color: palette.faint,
          fontFamily: font,
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const { value, deviation } = bars[dataIndex]!
            return `${value.toPrecision(2)} ± ${deviation.toPrecision(1)}`
          },
        },
      },
    ],
  })
}

function linePlot(series: PlotOption['series'], palette: Palette, axes: { x: object; y: object }): string {
  const label = { color: palette.faint, fontFamily: font }
  return draw(460, 290, {
    legend: {
      top: 0,
      right: 8,
      icon: 'circle',
      itemGap: 20,
      textStyle: { ...label, color: palette.text },
      type: 'scroll',
    },
    grid: { left: 56, right: 16, top: 36, bottom: 44 },
    xAxis: {
      type: 'value',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: label,
      axisLabel: label,
      axisLine: { show: true, lineStyle: { color: palette.line } },
      splitLine: { show: false },
      ...axes.x,
    },
    yAxis: {
      type: 'value',
      nameTextStyle: label,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: label,
      splitLine: { lineStyle: { color: palette.line } },
      ...axes.y,
    },
    series,
  } as PlotOption)
}

const shorten = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
