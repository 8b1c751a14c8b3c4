import { Link } from "@tanstack/react-router";

/** Splits "service:checkout" or "component:default/checkout" into kind and name. */
export function splitRef(ref: string): { kind: string; name: string } {
  const colon = ref.indexOf(":");
  if (colon < 0) return { kind: "", name: ref };
  const path = ref.slice(colon + 1);
  return { kind: ref.slice(0, colon), name: path.includes("/") ? path.slice(path.lastIndexOf("/") + 1) : path };
}

/** A reference, linked to the page of what it names where there is one. */
export function RefLink({ refText, bare }: { refText: string; bare?: boolean }) {
  const { kind, name } = splitRef(refText);
  const text = bare ? name : refText;
  switch (kind) {
    case "slo":
      return (
        <Link to="/slos/$name" params={{ name }}>
          {text}
        </Link>
      );
    case "probe":
      return (
        <Link to="/probes/$name" params={{ name }}>
          {text}
        </Link>
      );
    case "service":
    case "component":
      return (
        <Link to="/services/$name" params={{ name }}>
          {text}
        </Link>
      );
    case "team":
    case "group":
      return (
        <Link to="/services" search={{ owner: name }}>
          {text}
        </Link>
      );
    case "channel":
      return (
        <Link to="/settings/$section" params={{ section: "channels" }}>
          {text}
        </Link>
      );
    case "source":
      return (
        <Link to="/settings/$section" params={{ section: "sources" }}>
          {text}
        </Link>
      );
    default:
      return <span>{text}</span>;
  }
}
