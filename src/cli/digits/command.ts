/** `dcml digits`: the main job, from real digits to a saved model. @module */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { runDigits } from './run.js'

/** Adds the command. */
export function registerDigits(program: Command): void {
  program
    .command('digits')
    .description('Trains a classifier of handwritten digits on all cores, evaluates it, saves it and predicts.')
    .addOption(new Option('--model <name>', 'network').choices(['mlp', 'cnn']).default('cnn'))
    .option('--epochs <n>', 'passes over the training images', count, 5)
    .option('--batch-size <n>', 'images per step, over all workers (default: 128 for cnn, 32 for mlp)', count)
    .option('--workers <n>', 'worker threads (default: one per core)', count)
    .option('--data <dir>', 'folder with the four idx.gz files of MNIST, or with a subfolder mnist that has them')
    .option('--out <dir>', 'folder for the trained model', 'dcml-run')
    .option('--json <file>', 'writes the figures of the run')
    .action(runDigits)
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.')
  return value
}
