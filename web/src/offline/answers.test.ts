// @vitest-environment jsdom
import 'fake-indexeddb/auto'
import { expect, test } from 'vitest'
import { unreachable } from '../api/problem'
import { orKept } from './answers'
import { forgetUser } from './database'

const names = async () => (await indexedDB.databases()).map(({ name }) => name)
const away = () => Promise.reject(unreachable())

test('[SYNC-16] what was answered last is told while the server is away', async () => {
  const anna = () => 'anna'
  expect(await orKept(anna, 'list', async () => ['w'])).toEqual(['w'])
  await expect.poll(() => orKept(anna, 'list', away).catch(() => undefined)).toEqual(['w'])
  await forgetUser('anna')
})

test('[SYNC-16] an answer that comes after its user has signed out leaves nothing on the device', async () => {
  let user: string | undefined = 'ben'
  const signedIn = () => user
  let answer = (_: string[]) => {}
  const asked = orKept(signedIn, 'list', () => new Promise<string[]>((resolve) => (answer = resolve)))
  let fail = (_: unknown) => {}
  const failed = orKept(signedIn, 'list', () => new Promise<string[]>((_, reject) => (fail = reject)))
  user = undefined
  await forgetUser('ben')
  answer(['w'])
  fail(unreachable())
  expect(await asked).toEqual(['w'])
  await expect(failed).rejects.toThrow()
  await new Promise((resolve) => setTimeout(resolve))
  expect(await names()).toEqual([])
})
