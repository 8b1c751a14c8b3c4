import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { nextSort } from "../app/urlState";

interface Props {
  column: string;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  num?: boolean;
  /** Which way the first press sorts. */
  first?: "asc" | "desc";
  className?: string;
  children: ReactNode;
}

/** A column's head that sorts by it. */
export function SortHead({ column, sort, onSort, num, first = "asc", className, children }: Props) {
  const order = sort === column ? "ascending" : sort === "-" + column ? "descending" : undefined;
  return (
    <th scope="col" aria-sort={order} className={[num && "num", className].filter(Boolean).join(" ") || undefined}>
      <button type="button" onClick={() => onSort(nextSort(sort, column, first))}>
        {children}
        {order === "ascending" && <IconArrowUp size={13} aria-hidden />}
        {order === "descending" && <IconArrowDown size={13} aria-hidden />}
      </button>
    </th>
  );
}
