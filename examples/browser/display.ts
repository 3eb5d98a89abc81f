/** What the page shows besides the curve: digits with predictions, and the backends of the browser. @module */

import type { BackendReport, Columns, Predictor } from 'dcml'

const SIDE = 28

type Explanations = Awaited<ReturnType<Predictor['explain']>>

/** Draws digits, `x`: `[rows, 28, 28, 1]` in 0..255, each with the predicted class and its probability. */
export function showDigits(list: HTMLElement, { x, y }: Columns, answers: Explanations): void {
  list.replaceChildren(
    ...answers.map((answer, row) => {
      const truth = String(y!.data[row])
      const isRight = answer.class === truth
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = SIDE
      canvas.role = 'img'
      canvas.ariaLabel = `A drawn ${truth}`
      const image = new ImageData(SIDE, SIDE)
      const pixels = (x!.data as Uint8Array).subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE)
      pixels.forEach((value, i) => {
        image.data.set([value, value, value, 255], 4 * i)
      })
      canvas.getContext('2d')!.putImageData(image, 0, 0)
      const text = document.createElement('span')
      text.className = isRight ? 'right' : 'wrong'
      text.textContent = `${isRight ? '✓' : '✗'} ${answer.class}, ${Math.round(100 * answer.probability)} %`
      const item = document.createElement('li')
      item.append(canvas, text)
      return item
    }),
  )
}

/** Lists the backends with the reasons why some do not work, and takes those out of the choice. */
export function showBackends(table: HTMLElement, choice: HTMLSelectElement, reports: readonly BackendReport[]): void {
  table.replaceChildren(
    ...reports.map(({ name, available, reason, device, features }) => {
      const row = document.createElement('tr')
      const details = available ? [device, features.join(', ')].filter(Boolean).join('; ') : reason
      for (const text of [name, available ? 'yes' : 'no', details ?? '']) row.insertCell().textContent = text
      return row
    }),
  )
  for (const { name, available } of reports) {
    const option = [...choice.options].find(({ value }) => value === name)
    if (option) option.disabled = !available
  }
}
