import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Job } from 'kubernetes-models/batch/v1'
import { Pod, Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { processPlace } from '../../../src/core/index.js'

const path = (name: string) => fileURLToPath(new URL(`../../../examples/launch/${name}`, import.meta.url))

interface Variable {
  name: string
  value?: string
  valueFrom?: { fieldRef?: { fieldPath: string }; secretKeyRef?: { name: string; key: string } }
}
// biome-ignore lint/suspicious/noExplicitAny: a manifest has whatever its author wrote.
const documents = (name: string): any[] =>
  parseAllDocuments(readFileSync(path(name), 'utf8'), { strict: true, uniqueKeys: true }).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS()
  })

describe('manifests of examples/launch', () => {
  it('give every pod of an Indexed Job its place', () => {
    const [service, job] = documents('indexed-job.yaml')
    new Service(service).validate()
    new Job(job).validate()
    expect([service.apiVersion, service.kind, service.spec.clusterIP]).toEqual(['v1', 'Service', 'None'])
    expect([job.apiVersion, job.kind, job.spec.completionMode]).toEqual(['batch/v1', 'Job', 'Indexed'])
    const { subdomain, restartPolicy, containers } = job.spec.template.spec
    expect(subdomain).toBe(service.metadata.name)
    expect(service.spec.selector).toEqual({ 'job-name': job.metadata.name })
    expect(['OnFailure', 'Never']).toContain(restartPolicy)
    // All must run at once, or none would find the others.
    expect(job.spec.parallelism).toBe(job.spec.completions)
    const variables = containers[0].env as Variable[]
    const index = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    const environment = Object.fromEntries(
      variables.map(({ name, value, valueFrom }) => [name, valueFrom?.fieldRef?.fieldPath === index ? '3' : value]),
    )
    expect(processPlace(environment)).toEqual({
      rank: 3,
      worldSize: job.spec.completions,
      rendezvous: 'dcml-0.dcml:29500',
    })
    expect(variables.find(({ name }) => name === 'DCML_SECRET')!.valueFrom!.secretKeyRef).toBeDefined()
  })

  it('are refused by the schemas where they are wrong', () => {
    const [service, job] = documents('indexed-job.yaml')
    job.spec.completions = '4'
    service.spec.ports = [{ name: 'no number' }]
    expect(() => new Job(job).validate()).toThrow(/completions must be integer/)
    expect(() => new Service(service).validate()).toThrow(/port/)
  })

  it('start as many ranks as an MPIJob has slots, unbound', () => {
    const [{ apiVersion, kind, spec }] = documents('mpi-job.yaml')
    expect([apiVersion, kind]).toEqual(['kubeflow.org/v2beta1', 'MPIJob'])
    const { Launcher, Worker } = spec.mpiReplicaSpecs
    for (const { template } of [Launcher, Worker]) new Pod({ spec: template.spec }).validate()
    const command = Launcher.template.spec.containers[0].command as string[]
    expect(Number(command[command.indexOf('-n') + 1])).toBe(Worker.replicas * spec.slotsPerWorker)
    expect(command.join(' ')).toContain('--bind-to none')
  })

  it('hand a Slurm step what its ranks need', () => {
    // Slurm's commands, as bash functions.
    const slurm = `
      scontrol() { echo node7; echo node8; }
      srun() { node -p 'JSON.stringify(process.env)'; }
      source ${path('train.slurm')}`
    const printed = execFileSync('bash', ['-c', slurm], {
      env: { ...process.env, SLURM_JOB_NODELIST: 'node[7-8]', SLURM_RESTART_COUNT: '2' },
    })
    const environment = { ...JSON.parse(printed.toString()), SLURM_PROCID: '5', SLURM_STEP_NUM_TASKS: '8' }
    expect(processPlace(environment)).toMatchObject({ rank: 5, worldSize: 8, rendezvous: 'node7:29500', generation: 2 })
    expect(environment.DCML_SECRET).toMatch(/^[0-9a-f]{64}$/)
  })
})
