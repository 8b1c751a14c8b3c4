import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { nextSort } from "../app/urlState";

interface Props<T extends string> {
  /** The server's orders for this column, in the order in which presses go through them. */
  orders: readonly { value: T; down?: boolean }[];
  sort: T | undefined;
  /** Absent where the order is given. */
  onSort?: (sort: T | undefined) => void;
  num?: boolean;
  className?: string;
  children: ReactNode;
}

/** A column's head that sorts by it. */
export function SortHead<T extends string>({ orders, sort, onSort, num, className, children }: Props<T>) {
  const chosen = orders.find((o) => o.value === sort);
  const next = nextSort(
    sort,
    orders.map((o) => o.value),
  );
  return (
    <th scope="col" aria-sort={chosen && (chosen.down ? "descending" : "ascending")} className={[num && "num", className].filter(Boolean).join(" ") || undefined}>
      {onSort ? (
        <button type="button" onClick={() => onSort(next)}>
          {children}
          {chosen && (chosen.down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
        </button>
      ) : (
        children
      )}
    </th>
  );
}
