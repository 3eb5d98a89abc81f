/** What a worker thread runs: one replica, told what to do by messages. @module */

import { parentThread } from '#parent-thread'
import { selectBackend, useKernelMemory, useWorkerIndex } from '../backends/index.js'
import { serializeError } from '../core/index.js'
import { modelFromTopology } from '../models/index.js'
import { functionsFromSetup, loadSetup, makeModel, Replica } from '../training/index.js'
import { createMember } from './create-member.js'
import { joinWith } from './join-group.js'
import { withDevices } from './with-devices.js'
import type { CommandMessage, Reply, StartMessage } from './worker-protocol.js'

const parent = parentThread()
if (!parent) throw new Error('This module runs in a worker thread.')

let replica: Replica | undefined

parent.onMessage(async (received) => {
  const message = received as StartMessage | CommandMessage
  let reply: Reply
  try {
    reply = { id: message.id, result: await carryOut(message) }
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
    const member = createMember(strategy, withDevices(await joinWith(ticket)), { onOneMemory, setup })
    replica = await Replica.create(job, { model, ...functionsFromSetup(setup, job) }, member)
    return undefined
  }
  const method = replica![message.command] as (...values: unknown[]) => Promise<unknown>
  return method.apply(replica, message.arguments)
}
