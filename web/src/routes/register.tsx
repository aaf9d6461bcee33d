import { Link, useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { register } from '../api/session'
import type { Registration } from '../api/types'
import { Button } from '../components/button'
import { Field, Input } from '../components/field'
import { GuestFrame } from './guest-frame'
import { useGuestForm } from './use-guest-form'

interface Question {
  key: keyof Registration
  label: string
  type: string
  autoComplete: string
  hint?: string
}

const QUESTIONS: Question[] = [
  { key: 'name', label: 'Your name', type: 'text', autoComplete: 'name', hint: 'Others see it beside your cursor.' },
  { key: 'tenant_name', label: 'Company', type: 'text', autoComplete: 'organization' },
  { key: 'email', label: 'Email', type: 'email', autoComplete: 'username' },
  { key: 'password', label: 'Password', type: 'password', autoComplete: 'new-password' },
]

export function RegisterPage() {
  const router = useRouter()
  const { next } = useSearch({ from: '/guests' })
  const [values, setValues] = useState<Registration>({ name: '', tenant_name: '', email: '', password: '' })
  const { error, busy, submit } = useGuestForm(async () => {
    await register(values)
    router.history.replace(next ?? '/')
  })

  return (
    <GuestFrame
      title="Create your account"
      footer={
        <>
          Already have one?{' '}
          <Link to="/sign-in" search={next ? { next } : {}} className="text-accent-text hover:underline">
            Sign in
          </Link>
        </>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-3" data-testid="register-form">
        {QUESTIONS.map(({ key, label, hint, ...input }, index) => (
          <Field key={key} label={label} hint={hint} error={error?.field(`/${key}`)}>
            {(ids) => (
              <Input
                {...ids}
                {...input}
                required
                autoFocus={index === 0}
                value={values[key]}
                onChange={(event) => setValues({ ...values, [key]: event.target.value })}
                data-testid={key.replace('_', '-')}
              />
            )}
          </Field>
        ))}
        {error && !error.hasFields && (
          <p
            role="alert"
            className="rounded-md bg-danger-soft px-2.5 py-2 text-danger text-xs"
            data-testid="form-error"
          >
            {error.message} {error.details.solution}
          </p>
        )}
        <Button type="submit" variant="primary" size="lg" disabled={busy} data-testid="register-submit">
          {busy ? 'Creating…' : 'Create account'}
        </Button>
      </form>
    </GuestFrame>
  )
}
