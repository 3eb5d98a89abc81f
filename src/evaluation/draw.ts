/** Plots as SVG text, drawn by echarts without a browser. @module */

import { BarChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, ParallelComponent, VisualMapComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

/** Colours of a plot. */
export interface Palette {
  text: string
  faint: string
  line: string
  /** From no rows to most rows. */
  heat: readonly [string, string]
  series: readonly string[]
}

/** The typeface of all text. */
export const font = 'system-ui, sans-serif'

/** What echarts is told to draw. */
export type PlotOption = Parameters<ReturnType<typeof init>['setOption']>[0]

const parts = [
  BarChart,
  HeatmapChart,
  LineChart,
  ParallelChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  ParallelComponent,
  VisualMapComponent,
  SVGRenderer,
]

let registered = false

/** Draws. `width` and `height` in pixels. */
export function draw(width: number, height: number, option: PlotOption): string {
  // Not at import: a library has no effects before it is used.
  if (!registered) use(parts)
  registered = true
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption({ animation: false, ...option })
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}
