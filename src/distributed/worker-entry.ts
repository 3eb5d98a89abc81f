/** What a worker thread runs: one replica, told what to do by messages. @module */

import { parentThread } from '#parent-thread'
import { selectBackend, useKernelMemory, useWorkerIndex, workerDevices } from '../backends/index.js'
import { serializeError } from '../core/index.js'
import { modelFromTopology } from '../models/index.js'
import { functionsFromSetup, loadSetup, makeModel, Replica } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { createMember } from './create-member.js'
import { joinWith } from './join-group.js'
import { withDevices } from './with-devices.js'
import type { CommandMessage, EndMessage, Reply, StartMessage } from './worker-protocol.js'

const parent = parentThread()
if (!parent) throw new Error('This module runs in a worker thread.')

let replica: Replica | undefined
let transport: Transport | undefined
/** What is under way. */
let carrying: Promise<unknown> = Promise.resolve()

parent.onMessage(async (received) => {
  const message = received as StartMessage | CommandMessage | EndMessage
  let reply: Reply
  try {
    const result = message.kind === 'end' ? end() : carryOut(message)
    if (message.kind !== 'end') carrying = result
    reply = { id: message.id, result: await result }
  } catch (error) {
    reply = { id: message.id, error: serializeError(error) }
  }
  parent.post(reply)
})

async function carryOut(message: StartMessage | CommandMessage): Promise<unknown> {
  if (message.kind === 'start') {
    const { job, strategy, ticket, kernelMemory } = message
    if (kernelMemory) useKernelMemory(kernelMemory)
    useWorkerIndex(ticket.ticket.rank)
    await selectBackend({ prefer: [job.backend] })
    // Before the model: loading the module registers its layers.
    const setup = await loadSetup(job.setup)
    const model =
      'topology' in job.model
        ? await modelFromTopology(job.model.topology)
        : await makeModel(job.model.exportName, setup)
    const onOneMemory = kernelMemory !== undefined
    transport = withDevices(await joinWith(ticket))
    const member = createMember(strategy, transport, { onOneMemory, setup })
    replica = await Replica.create(job, { model, ...functionsFromSetup(setup, job) }, member)
    return undefined
  }
  const method = replica![message.command] as (...values: unknown[]) => Promise<unknown>
  return method.apply(replica, message.arguments)
}

/** Leaves the group, which ends what is under way, and gives back what the thread holds of its device. */
async function end(): Promise<void> {
  await transport?.close()
  await carrying.catch(() => {})
  await replica?.close()
  workerDevices()?.close()
}
