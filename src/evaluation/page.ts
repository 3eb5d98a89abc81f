/** The look of reports: one page that needs no other file, for light and dark screens. @module */

import type { Palette } from './draw.js'

const light: Palette = {
  text: '#1f2933',
  faint: '#66727f',
  line: '#e4e8ec',
  heat: ['#f5f8fb', '#1769c2'],
  series: [
    '#1769c2',
    '#e07a2f',
    '#2a9d6f',
    '#b5479d',
    '#c9a227',
    '#5b6bd5',
    '#c0453e',
    '#3aa6b9',
    '#7f6a52',
    '#7a8793',
  ],
}

const dark: Palette = {
  text: '#e6eaee',
  faint: '#98a4b0',
  line: '#2c343d',
  heat: ['#20272f', '#3d8fe8'],
  series: [
    '#5ba5f2',
    '#f0984f',
    '#58c99a',
    '#db7fc7',
    '#e3c75a',
    '#93a0f5',
    '#ec827b',
    '#6fd0e0',
    '#b79f83',
    '#a9b5c0',
  ],
}

/** What a page holds. */
interface PageParts {
  title: string
  subtitle: string
  /** HTML, from the top down. */
  sections: readonly string[]
}

/** A number that is to be seen first. */
export interface Tile {
  name: string
  value: string
  unit?: string
  /** In small letters below. */
  note?: string
}

/** A plot with its heading. */
export interface Figure {
  title: string
  plot: (palette: Palette) => string
}

/** Writes a page. */
export function page({ title, subtitle, sections }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(subtitle)}</p></header>
${sections.join('\n')}
</main>
</body>
</html>
`
}

/** Numbers side by side. */
export function tiles(list: readonly Tile[]): string {
  const tile = ({ name, value, unit, note }: Tile) => {
    const text = unit ? `${escapeHtml(value)}<small> ${escapeHtml(unit)}</small>` : escapeHtml(value)
    return `<div class="tile"><span>${escapeHtml(name)}</span><b>${text}</b>${note ? `<i>${escapeHtml(note)}</i>` : ''}</div>`
  }
  return `<section class="tiles">${list.map(tile).join('')}</section>`
}

/** Plots side by side. */
export const figures = (list: readonly Figure[]) =>
  `<div class="curves">${list
    .map(({ title, plot }) => `<figure><figcaption>${escapeHtml(title)}</figcaption>${themed(plot)}</figure>`)
    .join('')}</div>`

/** Cells as text; the first row is the head. */
export function plainTable([head, ...rows]: readonly (readonly string[])[]): string {
  const headCells = head!.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  const body = rows.map(
    ([first, ...cells]) =>
      `<tr><th scope="row">${escapeHtml(first!)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  )
  return `<table><thead><tr>${headCells}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

/** A plot cannot ask which theme the reader has, so it is there twice and the page shows one. */
export function themed(plot: (palette: Palette) => string): string {
  return `<div class="plot light">${plot(light)}</div><div class="plot dark" aria-hidden="true">${plot(dark)}</div>`
}

/** A card with a heading. Both are HTML. */
export const section = (heading: string, body: string) => `<section><h2>${heading}</h2>${body}</section>`

/** Text that is safe in HTML. */
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const style = `
:root { color-scheme: light dark; --page: #f3f5f7; --card: #fff; --text: #1f2933; --faint: #66727f; --line: #e4e8ec; --bar: #d8e7f8 }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1040px; margin: 0 auto; padding: 40px 20px 64px }
h1 { margin: 0; font-size: 28px; letter-spacing: -.01em } h2 { margin: 0 0 16px; font-size: 17px }
header p { margin: 4px 0 24px; color: var(--faint) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 24px; margin-bottom: 20px; overflow-x: auto }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; padding: 0; border: 0; background: none }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px }
.tile span { display: block; color: var(--faint); font-size: 13px } .tile b { font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums }
.tile small { font-size: 16px; font-weight: 400 } .tile i { display: block; color: var(--faint); font: 13px/1.4 system-ui, sans-serif }
.note { margin: 12px 0 0; color: var(--faint); font-size: 13px }
.curves { display: flex; flex-wrap: wrap; gap: 20px } figure { margin: 0 } figcaption { color: var(--faint); font-size: 13px }
.plot svg { max-width: 100%; height: auto } .dark { display: none }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--line) } th:first-child { text-align: left }
thead th { color: var(--faint); font-weight: 500; font-size: 13px } tbody tr:last-child > * { border-bottom: 0 }
.bar { display: inline-block; width: 100%; max-width: 180px; padding: 1px 8px; border-radius: 4px; background: linear-gradient(90deg, var(--bar) var(--share), transparent 0) }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161b; --card: #1a2027; --text: #e6eaee; --faint: #98a4b0; --line: #2c343d; --bar: #22405f }
  .light { display: none } .dark { display: block }
}
`
