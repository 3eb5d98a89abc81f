import { describe, expect, it } from 'vitest'
import { ConfigError, processPlace } from '../../../src/core/index.js'

describe('processPlace', () => {
  it('finds no place where nobody has set one', () => {
    expect(processPlace({})).toBeUndefined()
    expect(processPlace({ MASTER_ADDR: 'a', MASTER_PORT: '1', LOCAL_RANK: '0', RANK: '' })).toBeUndefined()
  })

  it.each([
    [
      'torchrun',
      { RANK: '3', WORLD_SIZE: '8', LOCAL_RANK: '1', LOCAL_WORLD_SIZE: '2' },
      { rank: 3, worldSize: 8, localRank: 1, localSize: 2 },
    ],
    [
      'Open MPI',
      {
        OMPI_COMM_WORLD_RANK: '3',
        OMPI_COMM_WORLD_SIZE: '8',
        OMPI_COMM_WORLD_LOCAL_RANK: '1',
        OMPI_COMM_WORLD_LOCAL_SIZE: '2',
      },
      { rank: 3, worldSize: 8, localRank: 1, localSize: 2 },
    ],
    [
      'MPICH',
      { PMI_RANK: '3', PMI_SIZE: '8', MPI_LOCALRANKID: '1', MPI_LOCALNRANKS: '2' },
      { rank: 3, worldSize: 8, localRank: 1, localSize: 2 },
    ],
    [
      'Slurm, with as many tasks on every machine',
      { SLURM_PROCID: '3', SLURM_NTASKS: '8', SLURM_LOCALID: '1', SLURM_NTASKS_PER_NODE: '2' },
      { rank: 3, worldSize: 8, localRank: 1, localSize: 2 },
    ],
    [
      'a step of a Slurm job that is smaller than the job',
      { SLURM_PROCID: '1', SLURM_STEP_NUM_TASKS: '2', SLURM_NTASKS: '8', SLURM_LOCALID: '1' },
      { rank: 1, worldSize: 2, localRank: 1 },
    ],
  ])('reads the variables of %s', (_name, environment, place) => {
    expect(processPlace(environment)).toEqual(place)
  })

  it('reads where to meet, and which restart this is', () => {
    const place = { RANK: '0', WORLD_SIZE: '1' }
    expect(processPlace({ ...place, MASTER_ADDR: 'node7', MASTER_PORT: '29500', DCML_GENERATION: '4' })).toEqual({
      rank: 0,
      worldSize: 1,
      rendezvous: 'node7:29500',
      generation: 4,
    })
    expect(processPlace({ ...place, MASTER_ADDR: '::1', MASTER_PORT: '80' })?.rendezvous).toBe('[::1]:80')
    expect(processPlace({ ...place, MASTER_ADDR: 'node7' })?.rendezvous).toBeUndefined()
  })

  it('takes the launcher that is nearest to the process', () => {
    const agentPerMachine = { SLURM_PROCID: '1', SLURM_NTASKS: '2', RANK: '5', WORLD_SIZE: '8' }
    expect(processPlace(agentPerMachine)).toEqual({ rank: 5, worldSize: 8 })
  })

  it.each([
    ['RANK contradicts WORLD_SIZE', { RANK: '4', WORLD_SIZE: '4' }],
    ['WORLD_SIZE is out of range', { RANK: '0', WORLD_SIZE: '0' }],
    ['received RANK alone', { RANK: '4' }],
    ['received WORLD_SIZE alone', { WORLD_SIZE: '4' }],
    ['RANK is not a number', { RANK: '-1', WORLD_SIZE: '4' }],
    ['WORLD_SIZE is not a number', { RANK: '0', WORLD_SIZE: 'four' }],
    ['LOCAL_RANK contradicts LOCAL_WORLD_SIZE', { RANK: '1', WORLD_SIZE: '4', LOCAL_RANK: '2', LOCAL_WORLD_SIZE: '2' }],
    ['MASTER_PORT is out of range', { RANK: '0', WORLD_SIZE: '1', MASTER_ADDR: 'a', MASTER_PORT: '65536' }],
    ['DCML_GENERATION is not a number', { RANK: '0', WORLD_SIZE: '1', DCML_GENERATION: 'x' }],
    ['two ranks out of 4', { RANK: '0', WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4' }],
  ])('says that %s', (message, environment) => {
    expect(() => processPlace(environment)).toThrow(ConfigError)
    expect(() => processPlace(environment)).toThrow(message)
  })
})
