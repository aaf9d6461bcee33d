import { Link, useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useStore } from 'zustand'
import { session, signIn } from '../api/session'
import { Button } from '../components/button'
import { Field, Input } from '../components/field'
import { GuestFrame } from './guest-frame'
import { useGuestForm } from './use-guest-form'

export function SignInPage() {
  const router = useRouter()
  const { next } = useSearch({ from: '/guests' })
  const ended = useStore(session, (state) => state.kind === 'signed-out' && state.ended)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const { error, busy, submit } = useGuestForm(async () => {
    await signIn(email, password)
    router.history.replace(next ?? '/')
  })

  return (
    <GuestFrame
      title="Sign in to Troupe"
      footer={
        <>
          New here?{' '}
          <Link
            to="/register"
            search={next ? { next } : {}}
            className="text-accent-text hover:underline"
            data-testid="to-register"
          >
            Create an account
          </Link>
        </>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-3" data-testid="sign-in-form">
        {ended && (
          <p role="status" className="text-muted text-xs" data-testid="sign-in-ended">
            You have been signed out: the sign-in expired, was ended elsewhere, or your account was removed.
          </p>
        )}
        <Field label="Email" error={error?.field('/email')}>
          {(ids) => (
            <Input
              {...ids}
              type="email"
              required
              autoFocus
              autoComplete="username"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              data-testid="email"
            />
          )}
        </Field>
        <Field label="Password" error={error?.field('/password')}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              required
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              data-testid="password"
            />
          )}
        </Field>
        {error && !error.hasFields && (
          <p
            role="alert"
            className="rounded-md bg-danger-soft px-2.5 py-2 text-danger text-xs"
            data-testid="form-error"
          >
            {error.message} {error.details.solution}
          </p>
        )}
        <Button type="submit" variant="primary" size="lg" disabled={busy} data-testid="sign-in-submit">
          {busy ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </GuestFrame>
  )
}
