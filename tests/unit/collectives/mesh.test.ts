import { describe, expect, it } from 'vitest'
import { createCollectives, mesh } from '../../../src/collectives/index.js'
import { memoryTransports, type Transport } from '../../../src/transport/index.js'

/** For each rank and dimension, the ranks that it adds up with. */
async function sides(size: number, shape: number[]): Promise<string[][]> {
  return Promise.all(
    memoryTransports(size).map(async (end) => {
      const found: string[] = []
      for (const side of mesh(end, shape)) {
        const members = await createCollectives(side).allGather(Int32Array.of(end.rank))
        expect(members[side.rank]).toBe(end.rank)
        found.push([...members].join(' '))
      }
      return found
    }),
  )
}

describe('mesh', () => {
  it('joins the ranks of each column and of each row', async () => {
    expect(await sides(6, [2, 3])).toEqual([
      ['0 3', '0 1 2'],
      ['1 4', '0 1 2'],
      ['2 5', '0 1 2'],
      ['0 3', '3 4 5'],
      ['1 4', '3 4 5'],
      ['2 5', '3 4 5'],
    ])
  })

  it('has as many dimensions as are asked for', async () => {
    const all = await sides(8, [2, 2, 2])
    expect(all[5]).toEqual(['1 5', '5 7', '4 5'])
    expect(await sides(2, [1, 2, 1])).toEqual([
      ['0', '0 1', '0'],
      ['1', '0 1', '1'],
    ])
  })

  it('refuses a shape that holds more or fewer ranks', () => {
    const [end] = memoryTransports(4) as [Transport]
    for (const shape of [[2], [2, 3], [0, 4], [2.5, 1.6], []]) expect(() => mesh(end, shape)).toThrow(/product is 4/)
  })
})
