/** One of two processes between which `dcml bench plan` measures the link; rank 0 prints it as JSON. @module */

import { type LinkModel, measureLink } from '../../index.js'
import { tcp } from '../../node.js'
import { median } from './figures.js'

/** The first ones are for the runtime, which compiles what runs often. */
const TIMES = 100

const transport = await tcp().join()
const links: LinkModel[] = []
for (let i = 0; i < TIMES; i++) links.push(await measureLink(transport))
await transport.close()
console.log(
  JSON.stringify({
    latencyUs: median(links.map(({ latencyUs }) => latencyUs)),
    megabytesPerSecond: median(links.map(({ megabytesPerSecond }) => megabytesPerSecond)),
  }),
)
