/** `dcml doctor`: what this machine has. @module */

import { availableParallelism, totalmem } from 'node:os'
import type { Command } from 'commander'
import { listBackends } from '../index.js'

/** Adds the command. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Shows which backends work here, and why the others do not.')
    .action(async () => {
      const memoryGiB = (totalmem() / 2 ** 30).toFixed(1)
      console.log(`Node ${process.version}, ${availableParallelism()} cores, ${memoryGiB} GiB memory\n`)
      for (const { name, available, reason, device, features } of await listBackends()) {
        const details = available ? [device, features.join(', ')].filter(Boolean).join('; ') : reason
        console.log(`${available ? '✓' : '·'} ${name.padEnd(11)} ${details ?? ''}`)
      }
    })
}
