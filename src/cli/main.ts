#!/usr/bin/env node
/** The `dcml` command. @module */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { registerBench } from './bench/command.js'
import { registerDigits } from './digits/command.js'
import { registerDoctor } from './doctor.js'
import { registerEvaluate } from './evaluate.js'
import { registerLaunch } from './launch.js'
import { registerPredict } from './predict.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('dcml')
  .description('Trains TensorFlow.js models on every core of this machine.')
  .version(version)
  .configureOutput({
    // One line, like every other complaint.
    outputError: (text, write) => write(text.trim().replace('error:', 'dcml:').replaceAll('\n', ' ').concat('\n')),
  })
  // What follows the script of `launch` is the script's.
  .enablePositionalOptions()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

registerDoctor(program)
registerDigits(program)
registerBench(program)
registerEvaluate(program)
registerPredict(program)
registerLaunch(program)

// A reader that has seen enough, such as head, ends the command without a complaint.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
} catch (error) {
  // One line for what a user can mend, a file that cannot be written included; the whole story for everything else.
  const known = error instanceof Error && (('code' in error && /^DCML_/.test(String(error.code))) || 'syscall' in error)
  console.error(known ? `dcml: ${error.message}` : error)
  process.exit(known ? 2 : 1)
}
