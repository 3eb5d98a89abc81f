/** `dcml launch`: one script in several processes. @module */

import { type Command, InvalidArgumentError } from 'commander'
import { launch } from '../node.js'

interface Options {
  processes?: number
  hosts?: string
  restarts: number
  elastic?: boolean
  rsh?: string
  masterAddr?: string
  masterPort?: number
  grace: number
}

/** Adds the command. */
export function registerLaunch(program: Command): void {
  program
    .command('launch')
    .description('Runs a script in several processes that train together, on this machine or on several.')
    .argument('<script>', 'the script, such as train.mjs')
    .argument('[args...]', 'what it is called with')
    .option('-n, --processes <n>', 'number of processes (default: as many as the hosts have slots)', number)
    .option('--hosts <list>', 'hosts and how many processes each may run: a:2,b:2 (default: this machine)')
    .option('--restarts <n>', 'how many times what failed is started again, in all', number, 0)
    .option('--elastic', 'only what failed is started again, unless it is rank 0; the script says elastic too')
    .option('--rsh <command>', 'runs a command line on a host (default: ssh)')
    .option('--master-addr <host>', 'where the others find rank 0 (default: its host)')
    .option('--master-port <port>', 'a port of that host (default: a free one)', number)
    .option('--grace <s>', 'seconds that a process has to end before it is killed', number, 10)
    .addHelpText('after', HELP)
    .passThroughOptions()
    .action(run)
}

const HELP = `
Each process gets RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun sets them, and
a secret that they prove to each other. Options stand before the script; what follows it is the script's.

  dcml launch -n 4 train.mjs --epochs 5
  dcml launch --hosts a:2,b:2 train.mjs`

async function run(script: string, args: string[], options: Options): Promise<void> {
  const { processes, hosts, restarts, elastic, rsh, masterAddr, masterPort, grace } = options
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort(signal))
  process.exitCode = await launch(script, args, {
    restarts,
    graceMs: grace * 1000,
    signal: controller.signal,
    ...(processes === undefined ? {} : { processes }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(elastic === undefined ? {} : { elastic }),
    ...(rsh === undefined ? {} : { remoteShell: rsh }),
    ...(masterAddr === undefined ? {} : { masterAddress: masterAddr }),
    ...(masterPort === undefined ? {} : { masterPort }),
  })
}

function number(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 0)) throw new InvalidArgumentError('Expected a whole number.')
  return value
}
