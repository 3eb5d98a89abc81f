/** `dcml doctor`: what this machine has. @module */

import { writeFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import type { Command } from 'commander'
import { listBackends } from '../index.js'
import { listAssists, listDeviceLinks, listTransports } from '../node.js'

/** Adds the command. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Shows which backends, native libraries and transports work here, and why the others do not.')
    .option('--json [file]', 'prints the findings as JSON, or writes them to the file')
    .action(async ({ json }: { json?: string | true }) => {
      const found = {
        node: process.version,
        cores: availableParallelism(),
        memoryBytes: totalmem(),
        backends: await listBackends(),
        assists: await listAssists(),
        transports: await listTransports(),
        deviceLinks: await listDeviceLinks(),
      }
      const text = `${JSON.stringify(found, null, 2)}\n`
      if (json === true) process.stdout.write(text)
      else {
        if (json !== undefined) await writeFile(json, text)
        print(found)
      }
    })
}

interface Findings {
  node: string
  cores: number
  memoryBytes: number
  backends: Awaited<ReturnType<typeof listBackends>>
  assists: Awaited<ReturnType<typeof listAssists>>
  transports: Awaited<ReturnType<typeof listTransports>>
  deviceLinks: Awaited<ReturnType<typeof listDeviceLinks>>
}

function print({ node, cores, memoryBytes, backends, assists, transports, deviceLinks }: Findings): void {
  console.log(`Node ${node}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB memory`)
  const line = (name: string, available: boolean, details: string) =>
    console.log(`${available ? '✓' : '·'} ${name.padEnd(12)} ${details}`.trimEnd())
  console.log('\nBackends')
  for (const { name, available, reason, device, features } of backends)
    line(name, available, available ? [device, features.join(', ')].filter(Boolean).join('; ') : (reason ?? ''))
  console.log('\nAssists of the wasm backend, when a trainer asks for one')
  for (const { name, available, reason, library } of assists) line(name, available, library ?? reason ?? '')
  console.log('\nTransports')
  for (const { name, available, reason, library, joins } of transports)
    line(name, available, [joins, available ? library : reason].filter(Boolean).join('; '))
  console.log('\nLinks between GPUs, where workers have one each')
  for (const { name, available, reason, library } of deviceLinks) line(name, available, library ?? reason ?? '')
}
