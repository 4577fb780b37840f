import { Component, type ComponentType, h } from "preact";

/** Draws again only if a property has changed; objects count as the same if their fields do. */
export function memo<Props extends object>(
  draw: (props: Props) => preact.ComponentChild,
): ComponentType<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      return !isSame(this.props, next, 1);
    }
    override render(props: Props) {
      return h(draw as ComponentType<Props>, props as never);
    }
  };
}

function isSame(a: unknown, b: unknown, depth: number): boolean {
  if (a === b) return true;
  if (depth < 0 || typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) =>
      isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], depth - 1),
    )
  );
}
