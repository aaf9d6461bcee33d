import { useInfiniteQuery } from '@tanstack/react-query'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { peopleQuery } from '../../api/queries'
import type { User } from '../../api/types'
import { Button } from '../../components/button'
import { Modal, ModalTitle } from '../../components/dialog'
import { Spinner } from '../../components/spinner'
import { AddPerson } from './add-person'
import { PersonRow } from './person-row'
import { RemovePerson } from './remove-person'

type Question = { kind: 'add' } | { kind: 'remove'; person: User }

/** Who has access to the tenant, and as what. For owners. */
export function PeopleDialog({ me, onClose }: { me: string; onClose: () => void }) {
  const [question, setQuestion] = useState<Question>()
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(peopleQuery)
  const people = data?.pages.flatMap((page) => page.items)
  const answered = () => setQuestion(undefined)
  return (
    <Modal open wide onClose={onClose} testId="people-dialog">
      <header className="flex items-center justify-between gap-2">
        <ModalTitle>People</ModalTitle>
        <Button variant="primary" onClick={() => setQuestion({ kind: 'add' })} data-testid="add-person">
          <UserPlus className="size-3.5" aria-hidden />
          Add a person
        </Button>
      </header>
      <p className="mt-1 text-muted text-sm">A change reaches what they have open at once.</p>
      {error ? (
        <p role="alert" className="py-6 text-danger">
          {error.message}
        </p>
      ) : !people ? (
        <Spinner />
      ) : (
        <ul className="scroll-thin -mx-2 my-3 max-h-[55vh] overflow-y-auto" data-testid="people">
          {people.map((person) => (
            <PersonRow
              key={person.id}
              person={person}
              isMe={person.id === me}
              onRemove={() => setQuestion({ kind: 'remove', person })}
            />
          ))}
          {hasNextPage && (
            <li className="flex justify-center p-2">
              <Button onClick={() => void fetchNextPage()} disabled={isFetchingNextPage}>
                Show more
              </Button>
            </li>
          )}
        </ul>
      )}
      <div className="flex justify-end">
        <Button variant="ghost" onClick={onClose} data-testid="people-close">
          Close
        </Button>
      </div>
      {question?.kind === 'add' && <AddPerson onClose={answered} />}
      {question?.kind === 'remove' && <RemovePerson person={question.person} onClose={answered} />}
    </Modal>
  )
}
