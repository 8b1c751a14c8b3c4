import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { IconActivity, IconBinoculars, IconBoxMultiple, IconCalendarUser, IconChartLine, IconHelp, IconMoon, IconRadar2, IconSearch, IconSettings, IconSun, IconSunMoon, IconTargetArrow } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { alerts, me } from "../api/queries";
import { chooseLang, useLang } from "../i18n";
import type { TextKey } from "../i18n/texts";
import { Connection } from "./Connection";
import { HelpDialog } from "./HelpDialog";
import { JumpDialog } from "./JumpDialog";
import { SessionEnd } from "./SessionEnd";
import { useShortcuts } from "./shortcuts";

const rooms: { to: "/" | "/services" | "/slos" | "/probes" | "/oncall" | "/explore" | "/activity" | "/settings"; label: TextKey; Icon: typeof IconActivity }[] = [
  { to: "/", label: "nav.now", Icon: IconBinoculars },
  { to: "/services", label: "nav.services", Icon: IconBoxMultiple },
  { to: "/slos", label: "nav.slos", Icon: IconTargetArrow },
  { to: "/probes", label: "nav.probes", Icon: IconRadar2 },
  { to: "/oncall", label: "nav.oncall", Icon: IconCalendarUser },
  { to: "/explore", label: "nav.explore", Icon: IconChartLine },
  { to: "/activity", label: "nav.activity", Icon: IconActivity },
  { to: "/settings", label: "nav.settings", Icon: IconSettings },
];

function Nav({ label }: { label: string }) {
  const { t } = useTranslation();
  const firing = useQuery(alerts({ state: "firing", limit: 200 }));
  const pages = (firing.data?.items ?? []).filter((a) => a.severity === "page").length;
  return (
    <nav aria-label={label}>
      <ul className="nav">
        {rooms.map(({ to, label: key, Icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }} activeProps={{ className: "active", "aria-current": "page" }}>
              <Icon size={18} stroke={1.7} aria-hidden />
              <span>{t(key)}</span>
              {to === "/" && pages > 0 && (
                <span className="count" role="img" aria-label={t("nav.firing", { count: pages })}>
                  {pages}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SchemeButton() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = colorScheme === "auto" ? "light" : colorScheme === "light" ? "dark" : "auto";
  const Icon = colorScheme === "auto" ? IconSunMoon : colorScheme === "light" ? IconSun : IconMoon;
  const label = t("scheme.switch", { now: t(`scheme.${colorScheme}`), next: t(`scheme.${next}`) });
  return (
    <button className="toolbtn" onClick={() => setColorScheme(next)} aria-label={label} title={label}>
      <Icon size={18} stroke={1.7} aria-hidden />
    </button>
  );
}

function LangButton() {
  const lang = useLang();
  const other = lang === "ja" ? "en" : "ja";
  const name = other === "ja" ? "日本語" : "English";
  return (
    <button className="toolbtn" lang={other} onClick={() => chooseLang(other)} aria-label={other === "ja" ? "日本語で表示" : "Show in English"}>
      {name}
    </button>
  );
}

/** Moves focus to the page after each walk to another one, so that a screen reader begins there. */
function useFocusOnWalk() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}

/** What surrounds every page. */
export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [jumping, setJumping] = useState(false);
  const [helping, setHelping] = useState(false);
  const who = useQuery(me());
  const main = useFocusOnWalk();
  useShortcuts({ go: (to) => void navigate({ to }), jump: () => setJumping(true), help: () => setHelping(true) });

  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(e) => (e.preventDefault(), main.current?.focus())}>
        {t("skip")}
      </a>
      <aside className="side" aria-label={t("nav.side")}>
        <Link to="/" className="brand">
          <img src="/favicon.svg" width={24} height={24} alt="" />
          Teiten <small lang="ja">定点</small>
        </Link>
        <Nav label={t("nav.label")} />
        <div className="foot">
          {who.data && (
            <div className="small">
              <div className="anywhere">{who.data.name}</div>
              <div className="row between dim">
                <span>{t(`role.${who.data.role as "viewer"}`, { defaultValue: who.data.role })}</span>
                <form method="post" action="/signout">
                  <button className="linkbtn">{t("signOut")}</button>
                </form>
              </div>
            </div>
          )}
        </div>
      </aside>
      <div className="column">
        <header className="top">
          <div className="grow">
            <button className="jumpbtn" onClick={() => setJumping(true)}>
              <IconSearch size={15} aria-hidden />
              <span>{t("jump.open")}</span>
              <kbd className="desk" aria-hidden>
                /
              </kbd>
            </button>
          </div>
          <Connection />
          <LangButton />
          <SchemeButton />
          <button className="toolbtn desk" onClick={() => setHelping(true)} aria-label={t("help.title")} title={t("help.title") + " (?)"}>
            <IconHelp size={18} stroke={1.7} aria-hidden />
          </button>
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <div className="tabbar">
        <Nav label={t("nav.label")} />
      </div>
      <JumpDialog opened={jumping} onClose={() => setJumping(false)} />
      <HelpDialog opened={helping} onClose={() => setHelping(false)} />
      <SessionEnd />
    </div>
  );
}
