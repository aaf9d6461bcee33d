import { TriangleAlert } from 'lucide-react'
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { Button } from './button'

interface BoundaryProps {
  /** What is inside, as people call it: `properties`. */
  name: string
  children: ReactNode
}

interface BoundaryState {
  error: Error | undefined
}

/** A part of the page that fails shows its error in its own frame; the rest lives on. React has this as a class only. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: undefined }

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    console.error(`The ${this.props.name} failed`, error, componentStack)
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <div
        role="alert"
        data-testid="part-failed"
        data-part-name={this.props.name}
        className="flex min-h-0 flex-wrap items-center gap-x-3 gap-y-1 overflow-auto p-3 text-xs"
      >
        <TriangleAlert className="size-4 shrink-0 text-danger" aria-hidden />
        <p className="wrap-anywhere min-w-0 flex-1">
          <span className="font-medium">The {this.props.name} could not be shown.</span>{' '}
          <span className="text-muted">{error.message}</span>
        </p>
        <Button onClick={() => this.setState({ error: undefined })}>Try again</Button>
      </div>
    )
  }
}
