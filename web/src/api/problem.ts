/** What is wrong at one place of a request's body. */
export interface FieldProblem {
  pointer: string
  detail: string
  solution?: string | null
}

/** RFC 9457 problem details, as every endpoint answers an error. */
export interface ProblemDetails {
  status: number
  code: string
  title: string
  detail: string
  solution?: string | null
  retryable?: boolean
  errors?: FieldProblem[]
  request_id?: string
}

/** An error of the API, with what to do about it. */
export class Problem extends Error {
  readonly details: ProblemDetails

  constructor(details: ProblemDetails) {
    super(details.detail || details.title)
    this.name = 'Problem'
    this.details = details
  }

  get status(): number {
    return this.details.status
  }

  /** What is wrong, place by place. */
  get fields(): readonly FieldProblem[] {
    return this.details.errors ?? []
  }

  /** Whether the fields tell what is wrong. */
  get hasFields(): boolean {
    return this.fields.length > 0
  }

  /** What is wrong with one field of the request's body, such as `/email`. */
  field(pointer: string): string | undefined {
    return this.fields.find((error) => error.pointer === pointer)?.detail
  }
}

/** Turns an answer that is not a success into a `Problem`, whatever a proxy may have put into its body. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined)
  if (isDetails(body)) return new Problem(body)
  return new Problem({
    status: response.status,
    code: 'unexpected_answer',
    title: 'Unexpected answer',
    detail: `The server answered ${response.status} ${response.statusText}`.trim(),
    retryable: response.status >= 500,
  })
}

/** The network did not carry the request. */
export function unreachable(): Problem {
  return new Problem({
    status: 0,
    code: 'unreachable',
    title: 'No connection',
    detail: 'The server cannot be reached.',
    solution: 'Check your connection and try again.',
    retryable: true,
  })
}

function isDetails(body: unknown): body is ProblemDetails {
  return typeof body === 'object' && body !== null && 'detail' in body && 'status' in body && 'code' in body
}
