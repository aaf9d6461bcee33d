import { expect, test } from 'vitest'
import { type Box, boxAround, boxOf, MapScale, viewBox } from './map-scale'

const MAP = { width: 150, height: 100 }

test('everything is on the map, as large as it fits and in its middle', () => {
  const boxes: [Box, Box, Box] = [
    boxOf({ position: { x: -500, y: 20 } }),
    boxOf({ position: { x: 9_000, y: 700 }, measured: { width: 300, height: 90 } }),
    viewBox([-1_000, -2_000, 0.5], { width: 800, height: 600 }),
  ]
  const all = boxAround(boxes[0], boxes)
  expect(all).toEqual({ left: -500, top: 20, right: 9_300, bottom: 5_200 })
  const scale = new MapScale(all, MAP)
  for (const box of boxes) {
    const { x, y, width, height } = scale.toMap(box)
    expect(x).toBeGreaterThanOrEqual(4.9)
    expect(y).toBeGreaterThanOrEqual(4.9)
    expect(x + width).toBeLessThanOrEqual(145.1)
    expect(y + height).toBeLessThanOrEqual(95.1)
  }
  const { x, width } = scale.toMap(all)
  expect(x + width / 2).toBeCloseTo(75)
})

test('a place on the map is the place on the canvas that is drawn there', () => {
  const scale = new MapScale({ left: 100, top: -50, right: 4_100, bottom: 950 }, MAP)
  const { x, y } = scale.toMap({ left: 1_234, top: 567, right: 1_234, bottom: 567 })
  expect(scale.toCanvas({ x, y }).x).toBeCloseTo(1_234)
  expect(scale.toCanvas({ x, y }).y).toBeCloseTo(567)
})

test('a single place has a map too', () => {
  const scale = new MapScale({ left: 7, top: 7, right: 7, bottom: 7 }, MAP)
  expect(scale.toCanvas({ x: 75, y: 50 })).toEqual({ x: 7, y: 7 })
})
