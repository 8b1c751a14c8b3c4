import { useFormat } from "../format";
import { useNow } from "./now";

/** A moment relative to now; its exact time is its title. */
export function Ago({ at }: { at: string | number | null | undefined }) {
  const f = useFormat();
  const now = useNow();
  if (!at) return <span className="dim">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={f.dateTime(at)} className="nowrap">
      {f.relative(at, now)}
    </time>
  );
}

/** A moment by the clock; how long ago it was is its title. */
export function At({ at, short }: { at: string | number | null | undefined; short?: boolean }) {
  const f = useFormat();
  if (!at) return <span className="dim">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={short ? f.dateTime(at) : f.relative(at, Date.now())} className="nowrap tab">
      {short ? f.shortTime(at) : f.dateTime(at)}
    </time>
  );
}
