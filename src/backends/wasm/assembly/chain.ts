// Kernels that go element by element, one after the other over a tile that stays in the first-level cache, tile by tile.

import { binary } from './binary'
import { unary } from './unary'

/** Words of a link, as ../program/chain-form.ts lists them. */
const LINK_BYTES: usize = 52

/** Runs the call whose arguments begin at p: n, tile, links. See ../program/chain-form.ts. */
export function chain(p: usize): void {
  const n = load<i32>(p)
  const tile = load<i32>(p, 4)
  const links = load<i32>(p, 8)
  for (let start = 0; start < n; start += tile) {
    const count = min(tile, n - start)
    const bytes: usize = <usize>start << 2
    let link: usize = p + 12
    for (let i = 0; i < links; i++) {
      const code = load<i32>(link, 4)
      const a: usize = load<u32>(link, 12) + bytes * load<u32>(link, 32)
      const b: usize = load<u32>(link, 16) + bytes * load<u32>(link, 36)
      const out: usize = load<u32>(link, 20) + bytes * load<u32>(link, 40)
      if (load<i32>(link)) binary(code, load<i32>(link, 8), a, b, out, 1, count, 0, load<i32>(link, 24), 0, load<i32>(link, 28))
      else unary(code, a, out, count, load<f32>(link, 44), load<f32>(link, 48))
      link += LINK_BYTES
    }
  }
}
