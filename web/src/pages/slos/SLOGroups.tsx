import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { sloCounts, sloPage } from "../../api/queries";
import type { SLOCount } from "../../api/types";
import { statuses, type SLOFilter, type SLOGroup, type SLOSearch, type SLOSort } from "../../app/urlState";
import { useFormat } from "../../format";
import { Failed, Loaded } from "../../parts/Notice";
import { Budget, Status } from "../../parts/Status";
import { inGroup, queryOf, useGroupName } from "./parts";
import { columns, ListTable, SLORow } from "./SLOTable";

/** How many of a group's SLOs are shown within it; all are one step away. */
const within = 20;

interface Props {
  search: SLOSearch;
  filter: SLOFilter;
  by: SLOGroup;
  onSort: (sort: SLOSort | undefined) => void;
}

/** The list by team, system, tier or service: the groups that need somebody most first. */
export function SLOGroups({ search, filter, by, onSort }: Props) {
  const query = useQuery(sloCounts(by, queryOf(filter)));
  return (
    <Loaded query={query} lines={8}>
      {(data) => (
        <ListTable sort={search.sort} onSort={onSort} count={data.items?.length ?? 0}>
          {(data.items ?? []).map((count) => (
            <Group key={count.key} count={count} by={by} search={search} filter={filter} alone={data.items?.length === 1} />
          ))}
        </ListTable>
      )}
    </Loaded>
  );
}

function Group({ count, by, search, filter, alone }: { count: SLOCount; by: SLOGroup; search: SLOSearch; filter: SLOFilter; alone: boolean }) {
  const { t } = useTranslation();
  const f = useFormat();
  const nameOf = useGroupName(by);
  const [opened, setOpened] = useState(alone);
  const Icon = opened ? IconChevronDown : IconChevronRight;
  const states = statuses.filter((s) => count.byStatus[s] > 0);
  return (
    <tbody>
      <tr className="grouprow" data-tone={count.byStatus.burning > 0 ? "bad" : undefined}>
        <th scope="rowgroup">
          <button type="button" className="expand" aria-expanded={opened} onClick={() => setOpened(!opened)}>
            <Icon size={15} aria-hidden />
            <span className="anywhere">{nameOf(count.key)}</span>
          </button>
          <div className="sub">{t("slos.rows", { count: count.total, number: f.number(count.total) })}</div>
        </th>
        <td>
          <Status status={count.worst.status} />
        </td>
        <td colSpan={2} className="narrow-hide sub">
          {states.map((s) => t("slos.inState", { state: t(`status.${s}`), number: f.number(count.byStatus[s]) })).join(" · ")}
        </td>
        <td className="num">{count.byStatus.unknown === count.total ? <span className="dim">–</span> : <Budget left={count.worst.budgetLeft} status={count.worst.status} />}</td>
        <td colSpan={2} className="narrow-hide small">
          <Link to="/slos/$name" params={{ name: count.worst.name }} className="plain">
            {t("slos.worst", { name: count.worst.name })}
          </Link>
        </td>
      </tr>
      {opened && <Members search={search} filter={inGroup(filter, by, count.key)} total={count.total} name={nameOf(count.key)} />}
    </tbody>
  );
}

function Members({ search, filter, total, name }: { search: SLOSearch; filter: SLOFilter; total: number; name: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const query = useQuery(sloPage({ ...queryOf(filter), sort: search.sort, limit: within, offset: 0 }));
  if (!query.data)
    return (
      <tr>
        <td colSpan={columns}>{query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : <span className="dim loading">{t("loading")}</span>}</td>
      </tr>
    );
  return (
    <>
      {query.data.items?.map((slo) => <SLORow key={slo.name} slo={slo} within />)}
      {total > within && (
        <tr data-within>
          <td colSpan={columns} className="small">
            <Link to="/slos" search={{ ...search, ...filter, group: undefined }}>
              {t("slos.allOf", { number: f.number(total), name })}
            </Link>
          </td>
        </tr>
      )}
    </>
  );
}
