import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { services, slos } from "../api/queries";
import { Status } from "../parts/Status";
import { goTo } from "./shortcuts";
import { Dialog } from "../parts/Dialog";

interface Target {
  key: string;
  title: string;
  kind: string;
  status?: string;
  go: () => void;
}

/** Search over pages, services and SLOs; Enter goes there. */
export function JumpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("jump.title")} size="lg">
      <JumpBody onClose={onClose} />
    </Dialog>
  );
}

function JumpBody({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useId();
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 150);
  const [at, setAt] = useState(0);
  const foundServices = useQuery({ ...services({ q: q || undefined, limit: 8 }), enabled: q !== "" });
  const foundSLOs = useQuery({ ...slos({ q: q || undefined, limit: 8 }), enabled: q !== "" });

  const targets = useMemo<Target[]>(() => {
    const pages = (
      [
        ["nav.now", goTo.h],
        ["nav.services", goTo.s],
        ["nav.slos", goTo.o],
        ["nav.probes", goTo.p],
        ["nav.explore", goTo.e],
        ["nav.activity", goTo.a],
        ["nav.settings", goTo.t],
      ] as const
    )
      .map(([label, to]) => ({ key: to, title: t(label), kind: t("jump.page"), go: () => void navigate({ to }) }))
      .filter((p) => p.title.toLowerCase().includes(text.trim().toLowerCase()));
    if (q === "") return pages;
    return [
      ...(foundServices.data?.items ?? []).map((s) => ({ key: s.ref, title: s.title || s.short, kind: t("jump.service"), go: () => void navigate({ to: "/services/$name", params: { name: s.short } }) })),
      ...(foundSLOs.data?.items ?? []).map((s) => ({ key: "slo:" + s.name, title: s.title || s.name, kind: t("jump.slo"), status: s.status, go: () => void navigate({ to: "/slos/$name", params: { name: s.name } }) })),
      ...pages,
    ];
  }, [q, text, foundServices.data, foundSLOs.data, navigate, t]);

  const chosen = Math.min(at, targets.length - 1);
  const choose = (target: Target | undefined) => {
    if (!target) return;
    onClose();
    target.go();
  };
  const onKey = (e: React.KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    if (e.key === "ArrowDown") setAt(Math.min(chosen + 1, targets.length - 1));
    else if (e.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (e.key === "Enter") choose(targets[chosen]);
    else return;
    e.preventDefault();
  };
  const searching = q !== "" && (foundServices.isFetching || foundSLOs.isFetching);

  return (
    <>
      <div className="field">
        <input
          data-autofocus
          type="search"
          role="combobox"
          aria-expanded={targets.length > 0}
          aria-controls={list}
          aria-activedescendant={chosen >= 0 ? `${list}-${chosen}` : undefined}
          aria-label={t("jump.title")}
          placeholder={t("jump.hint")}
          value={text}
          onChange={(e) => (setText(e.target.value), setAt(0))}
          onKeyDown={onKey}
        />
      </div>
      <ul className="jumplist" role="listbox" id={list} aria-label={t("jump.found")}>
        {targets.map((target, i) => (
          <li key={target.key} id={`${list}-${i}`} role="option" aria-selected={i === chosen} onClick={() => choose(target)} onMouseMove={() => setAt(i)}>
            <span className="anywhere">{target.title}</span>
            {target.status && <Status status={target.status} />}
            <span className="sub nowrap">{target.kind}</span>
          </li>
        ))}
      </ul>
      <p className="dim small" role="status">
        {searching ? t("loading") : targets.length === 0 ? t("jump.none") : ""}
      </p>
    </>
  );
}
