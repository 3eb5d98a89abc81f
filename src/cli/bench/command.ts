/** `dcml bench`: what it costs to train here, beside other libraries. @module */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { contenders, mpiNames, transports } from './allreduce/order.js'
import { runBenchAllReduce } from './allreduce/run.js'
import { cases, libraries } from './cases.js'
import { cudaCases, runBenchCuda } from './cuda/run.js'
import { dataCases } from './data/cases.js'
import { runBenchData } from './data/run.js'
import { kernelNames, runBenchKernels } from './kernels.js'
import { planTransports, runBenchPlan } from './plan.js'
import { runBenchTrain } from './train.js'

/** Adds the command. */
export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('Measures the speed of dcml on this machine.')
    .usage('<train|kernels|allreduce|data|plan|cuda> [options]')
    .argument('[what]')
    .action((what?: string) =>
      bench.error(
        `error: expected the name of a benchmark: train, kernels, allreduce, data, plan or cuda; received ${what ?? 'none'}`,
      ),
    )
  bench
    .command('train')
    .description('Measures steps of training: dcml, and the other libraries that are installed here.')
    .addOption(new Option('--case <name...>', 'only these cases').choices(cases.map(({ name }) => name)))
    .addOption(new Option('--library <name...>', 'only these libraries').choices(libraries))
    .option('--rounds <n>', 'measurements of each library in each case; the table shows the median', count, 3)
    .option('--seconds <s>', 'time of one measurement, after a warm-up of half as long', duration, 2)
    .addOption(new Option('--engine <name>', "dcml's engine").choices(['auto', 'eager', 'captured']).default('auto'))
    .option('--assist', 'dcml runs large matrix products in a native BLAS')
    .option('--json <file>', 'writes the figures')
    .addHelpText('after', HELP)
    .action(runBenchTrain)
  bench
    .command('kernels')
    .description("Measures single operations on dcml's wasm backend: products, convolutions, elementwise, Adam.")
    .addOption(new Option('--kernel <name...>', 'only these kernels').choices(kernelNames))
    .option('--rounds <n>', 'measurements of each kernel; the table shows shortest and median', count, 10)
    .option('--seconds <s>', 'time of one measurement', duration, 0.02)
    .option('--json <file>', 'writes the figures')
    .addHelpText('after', KERNELS_HELP)
    .action(runBenchKernels)
  bench
    .command('allreduce')
    .description('Measures all-reduce over a transport, and Gloo, Open MPI and MPICH where they are installed.')
    .addOption(
      new Option('--transport <name>', 'how the workers reach each other').choices(transports).default('sharedMemory'),
    )
    .addOption(
      new Option('--mpi <name>', "whose mpirun starts dcml's processes over mpi").choices(mpiNames).default('openmpi'),
    )
    .option('--workers <n>', 'threads, or processes', count, 2)
    .option('--sizes <size...>', 'bytes of the array, such as 4kB or 40MB', size)
    .addOption(
      new Option('--algorithm <name>', "dcml's, where the transport has none of its own")
        .choices(algorithms)
        .default('auto'),
    )
    .addOption(new Option('--contender <name...>', 'only these').choices(contenders))
    .option('--rounds <n>', 'launches of each contender; the table shows the median', count, 3)
    .option('--json <file>', 'writes the figures')
    .addHelpText('after', ALLREDUCE_HELP)
    .action(runBenchAllReduce)
  bench
    .command('data')
    .description('Measures reading, preprocessing and metrics, beside other libraries where they are installed.')
    .addOption(new Option('--case <name...>', 'only these cases').choices(dataCases.map(({ name }) => name)))
    .option('--rounds <n>', 'measurements of each, after a warm-up; the table shows the median', count, 5)
    .option('--json <file>', 'writes the figures')
    .addHelpText('after', `\n${dataCases.map(({ name, work, over }) => `${name}: ${work}, beside ${over}`).join('\n')}`)
    .action(runBenchData)
  bench
    .command('plan')
    .description('Predicts steps of training on several workers by planTraining, and then measures them.')
    .addOption(new Option('--case <name>', 'the network').choices(networks).default('cnn'))
    .option('--batch-size <n>', 'rows of a step of all workers together', count, 128)
    .addOption(
      new Option('--transport <name>', 'threads, or processes of this machine')
        .choices(planTransports)
        .default('sharedMemory'),
    )
    .option('--workers <n...>', 'numbers of workers', counts)
    .option('--rounds <n>', 'measurements of each number of workers; the shortest counts', count, 3)
    .option('--json <file>', 'writes the figures')
    .action(({ workers = [1, 2, 4], ...options }) => runBenchPlan({ workers, ...options }))
  bench
    .command('cuda')
    .description('Measures operations and steps of training on an NVIDIA GPU, beside PyTorch on the same one.')
    .addOption(new Option('--case <name...>', 'only these cases').choices(cudaCases))
    .option('--side <n>', 'rows and columns of the matrices', count, 8192)
    .option('--elements <n>', 'elements of the arrays', count, 2 ** 27)
    .option('--rounds <n>', 'measurements of each; the tables show the medians', count, 3)
    .option('--seconds <s>', 'time of one measurement, after a warm-up', duration, 2)
    .option('--json <file>', 'writes the figures')
    .action(runBenchCuda)
}

const networks = cases.filter(({ workers }) => workers === 1).map(({ name }) => name)
const counts = (text: string, before: number[] = []) => [...before, count(text)]

const algorithms = ['auto', 'ring', 'tree', 'doubling', 'halving-doubling', 'direct', 'hierarchical']

const HELP = `
Cases: Adam at 1e-3, softmax cross-entropy, random data in the shape of the real.
  mlp-64         784-64-64-10, ReLU, batch 32
  mlp-64-b256    the same, batch 256
  mlp-512        784-512-512-10, batch 32
  cnn            conv 32, pool, conv 64, pool, dense 128, on 28x28, batch 32
  lstm           64 units over 28 steps of 28, batch 32
  transformer    2 encoder blocks, width 128, 4 heads, 64 tokens, batch 32
  mlp-64-2w      mlp-64 on 2 workers with 32 rows each, beside 1 worker (dcml-1w)
  mlp-64-2p      the same on 2 processes over TCP
  cnn-2w         the network of 'dcml digits' on 2 workers with 64 rows each, beside 1 worker

PyTorch runs eagerly on one thread (with 2 workers: on 2 processes, by DistributedDataParallel over Gloo), once as it
is and once with a malloc that keeps its memory (pytorch-malloc).`

const KERNELS_HELP = `
Each is an operation of tfjs as a user calls it, on one thread, a warm-up and then --rounds rounds. Products and
convolutions are judged by floating-point operations and their share of the fastest product measured; all others by the
bytes that they read and write and their share of a copy in JavaScript.`

const ALLREDUCE_HELP = `
Every contender first all-reduces each size once and checks the result, then warms up, then is timed. dcml runs threads
(sharedMemory), processes on the loopback interface (tcp) or processes that mpirun starts (mpi); Gloo runs processes
through PyTorch on the loopback interface; openmpi and mpich are a C program, compiled on the spot. Algorithm bandwidth is bytes over time, bus bandwidth that times 2 (n - 1) / n.`

function size(text: string, before: number[] = []): number[] {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(k|M)?B?$/.exec(text) ?? []
  const bytes = Number(number) * (unit === 'M' ? 1e6 : unit === 'k' ? 1e3 : 1)
  if (!(Number.isInteger(bytes / 4) && bytes > 0 && bytes <= 1e9))
    throw new InvalidArgumentError('Expected bytes, such as 4kB or 40MB: a multiple of 4, 1000MB at most.')
  return [...before, bytes]
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.')
  return value
}

function duration(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError('Expected seconds above 0, 600 at most.')
  return value
}
