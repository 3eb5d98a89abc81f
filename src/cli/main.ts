#!/usr/bin/env node
/** The `dcml` command. @module */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { registerBench } from './bench/command.js'
import { registerDigits } from './digits/command.js'
import { registerDoctor } from './doctor.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('dcml')
  .description('Trains TensorFlow.js models on every core of this machine.')
  .version(version)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

registerDoctor(program)
registerDigits(program)
registerBench(program)

try {
  await program.parseAsync()
} catch (error) {
  // One line for what a user can mend; the whole story for everything else.
  const known = error instanceof Error && 'code' in error && String(error.code).startsWith('DCML_')
  console.error(known ? `dcml: ${error.message}` : error)
  process.exit(known ? 2 : 1)
}
