/** The curve of the loss, drawn while training goes on. @module */

import { LineChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

const REDRAW_MS = 100
/** Share of the step before in the smooth line. */
const SMOOTHING = 0.9

use([LineChart, GridComponent, TooltipComponent, SVGRenderer])

/** A chart in a page. */
export interface LossCurve {
  clear(): void
  add(step: number, loss: number): void
  /** Shows what came since the last drawing. */
  draw(): void
}

/** Draws the loss of each step, and a smooth line through it. */
export function lossCurve(element: HTMLElement): LossCurve {
  const chart = init(element, null, { renderer: 'svg' })
  new ResizeObserver(() => chart.resize()).observe(element)
  const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name)
  let losses: [step: number, loss: number][] = []
  let smooth: [step: number, loss: number][] = []
  let drawnMs = 0

  const draw = () => {
    const [step, loss] = losses.at(-1) ?? [0, 0]
    element.ariaLabel = step === 0 ? 'No loss yet' : `Loss over ${step} steps, now ${loss.toFixed(3)}`
    const label = { color: color('--faint') }
    const line = { lineStyle: { color: color('--line') } }
    const common = { type: 'line' as const, symbol: 'none' }
    chart.setOption({
      animation: false,
      grid: { left: 48, right: 12, top: 12, bottom: 40 },
      tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => Number(value).toFixed(4) },
      xAxis: {
        ...{ type: 'value', name: 'step', nameLocation: 'middle', nameGap: 26, min: 0, max: Math.max(step, 10) },
        ...{
          axisLabel: { ...label, showMaxLabel: false },
          nameTextStyle: label,
          axisLine: line,
          splitLine: { show: false },
        },
      },
      yAxis: { type: 'value', min: 0, axisLabel: label, splitLine: line },
      series: [
        { ...common, name: 'loss', data: losses, lineStyle: { width: 1, opacity: 0.35 }, color: color('--accent') },
        { ...common, name: 'smoothed', data: smooth, lineStyle: { width: 2.5 }, color: color('--accent') },
      ],
    })
  }
  draw()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  return {
    clear() {
      losses = []
      smooth = []
      draw()
    },
    add(step, loss) {
      const before = smooth.at(-1)?.[1] ?? loss
      losses.push([step, loss])
      smooth.push([step, SMOOTHING * before + (1 - SMOOTHING) * loss])
      if (performance.now() - drawnMs < REDRAW_MS) return
      draw()
      drawnMs = performance.now()
    },
    draw,
  }
}
