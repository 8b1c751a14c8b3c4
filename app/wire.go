package app

import (
	"context"
	"database/sql"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/metrics/plugin"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/metrics/receive"
	"github.com/teiten/teiten/observe/metrics/remote"
	"github.com/teiten/teiten/observe/probe"
	probecheck "github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/alertmanager"
	"github.com/teiten/teiten/respond/alert/routing"
	"github.com/teiten/teiten/respond/incident"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/page"
	"github.com/teiten/teiten/web"
)

// rooms are the services of every room. Whoever runs the server in the same
// process may use them as the API does.
type rooms struct {
	Journal  *journal.Journal
	Measures *measure.Registry
	AsCode   *ascode.Engine
	Access   *access.Service
	Notify   *notify.Service
	Catalog  *catalog.Service
	Sources  *metrics.Sources
	Store    *embedded.Store   // nil where metrics come from elsewhere only
	Receiver *receive.Receiver // nil where nothing is taken
	Events   *pushed.Service
	Probes   *probe.Service
	SLO      *slo.Service
	Oncall   *oncall.Service
	Alerts   *alert.Service
	Routing  *routing.Service
	Pages    *page.Service

	Incidents *incident.Service
}

type migration struct {
	name  string
	files fs.FS
}

// migrations lists the tables of every room.
func migrations() []migration {
	return []migration{
		{"journal", journal.Migrations},
		{"ascode", ascode.Migrations},
		{"access", access.Migrations},
		{"notify", notify.Migrations},
		{"catalog", catalog.Migrations},
		{"metrics", metrics.Migrations},
		{"pushed", pushed.Migrations},
		{"slo", slo.Migrations},
		{"probe", probe.Migrations},
		{"oncall", oncall.Migrations},
		{"incident", incident.Migrations},
		{"alert", alert.Migrations},
		{"routing", routing.Migrations},
		{"page", page.Migrations},
	}
}

// withholdPeople keeps from who may not see the list of people what the journal
// tells of them: addresses, browsers and where they signed in.
func withholdPeople(ctx context.Context) []string {
	if access.Require(ctx, access.AccessRead) == nil {
		return nil
	}
	return []string{"access.*"}
}

// sealEvery is how often closed minutes of the journal are sealed.
const sealEvery = time.Minute

// openRooms builds every room on those below it, and lets them hear of one
// another through the journal.
func (a *App) openRooms(ctx context.Context) error {
	a.Journal = journal.New(a.db, a.now)
	a.Measures = measure.NewRegistry()
	a.AsCode = ascode.NewEngine(a.db, ascode.NewRegistry(), recorder{a.Journal})
	a.AsCode.Now, a.AsCode.Permit = a.now, access.MayEdit
	a.Access = access.New(access.Deps{DB: a.db, Journal: a.Journal, Now: a.now, BaseURL: a.URL(), Secure: isHTTPS(a.URL()), Log: a.log})
	a.Journal.Withhold = withholdPeople
	a.Catalog = catalog.New(catalog.Deps{DB: a.db, Documents: a.AsCode, Permit: access.MayEdit, Now: a.now})
	if err := a.openNotify(); err != nil {
		return err
	}
	if err := a.openSources(ctx); err != nil {
		return err
	}
	a.Events = pushed.New(pushed.Deps{DB: a.db, Journal: a.Journal, Now: a.now, Log: a.log, Late: time.Duration(a.config.Events.LateDays) * 24 * time.Hour})
	a.Sources.AddOwn(pushed.SourceName, metrics.KindEvents, a.Events)
	a.SLO = slo.New(slo.Deps{DB: a.db, Journal: a.Journal, Queue: a.queue, Catalog: a.Catalog, Sources: a.Sources, Now: a.now, Log: a.log,
		Settle: time.Duration(a.config.SLO.Settle), Instances: a.config.SLO.Instances, Retention: slo.Retention{Minutes: time.Duration(a.config.SLO.Retention.Minutes), Hours: time.Duration(a.config.SLO.Retention.Hours)}})

	a.openProbes()
	a.openOncall()
	a.openRouting()
	if err := a.openAlerts(ctx); err != nil {
		return err
	}
	if err := a.openPages(ctx); err != nil {
		return err
	}
	a.openIncidents()

	// Kinds of document, in any order: each says when it is applied.
	kinds := a.AsCode.Registry()
	a.Catalog.Kinds(kinds)
	a.Sources.Kinds(kinds)
	kinds.Add(a.Notify.Kind())
	a.SLO.Kinds(kinds)
	a.Probes.Kinds(kinds)
	a.Oncall.Kinds(kinds)
	a.Incidents.Kinds(kinds)
	a.Alerts.Kinds(kinds)
	a.Routing.Kinds(kinds)
	kinds.Add(a.Pages.Kind())

	// Who hears of what. A burn alert reaches people because notify listens here.
	a.Notify.Subscribe(a.Journal)
	a.Pages.Subscribe(a.Journal)

	// What runs later or repeatedly.
	a.Notify.Jobs(a.queue)
	a.Access.Schedule(a.queue)
	a.Events.Schedule(a.queue)
	a.Probes.Schedule(a.queue)
	a.SLO.Schedule(a.queue)
	a.Alerts.Schedule(a.queue)
	a.Routing.Schedule(a.queue)
	a.queue.Every("journal.seal", sealEvery, a.Journal.SealClosed)

	a.SLO.Measures(a.Measures)
	a.Probes.Measures(a.Measures)
	a.Notify.Measures(a.Measures)
	return nil
}

func (a *App) openNotify() error {
	smtp, err := a.config.Notify.SMTP.settings()
	if err != nil {
		return err
	}
	phones, err := a.config.Notify.phones()
	if err != nil {
		return err
	}
	a.Notify, err = notify.New(notify.Deps{
		DB: a.db, Journal: a.Journal, Queue: a.queue, Now: a.now, BaseURL: a.URL(), Log: a.log,
		AllowNetworks: a.config.Notify.AllowNetworks, SMTP: smtp, Phone: phones, Secrets: a.config.secrets(), Permit: access.MayEdit,
		Retention: time.Duration(a.config.Notify.Retention),
	})
	return err
}

// settings is the relay as notify wants it. What the password refers to is
// looked up at each send, so that a missing file does not stop the server.
func (c SMTPConfig) settings() (notify.SMTPConfig, error) {
	if c.Address == "" {
		return notify.SMTPConfig{}, nil
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		host, port = c.Address, "0"
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return notify.SMTPConfig{}, fault.New(fault.Invalid, "config.notify.smtp.address",
			text.Say("notify.smtp.address: %q is not host:port", "notify.smtp.address: %q は host:port の形ではありません", c.Address)).On("notify.smtp.address")
	}
	return notify.SMTPConfig{Host: host, Port: number, Username: c.Username, Password: secret.Secret(c.Password), From: c.From, TLS: email.TLS(c.TLS)}, nil
}

func (a *App) openSources(ctx context.Context) error {
	a.Sources = metrics.NewSources(metrics.Options{DB: a.db, Log: a.log, Now: a.now, Open: remote.Open, Secrets: a.config.secrets()})
	c := a.config.Metrics.Embedded
	if c.Enabled {
		store, err := embedded.Open(ctx, embedded.Options{
			Dir: a.config.metricsFolder(), ScrapeConfigFile: c.ScrapeConfigFile, Targets: a.options.Targets,
			RetentionTime: time.Duration(c.Retention.Time), RetentionSize: c.Retention.Size,
			OutOfOrder: time.Duration(c.Receive.OutOfOrder), MaxSeries: c.Receive.MaxSeries,
			Registerer: a.metrics, Log: a.log,
		})
		if err != nil {
			return err
		}
		a.later(func(context.Context) error { return store.Close() })
		a.Store = store
		a.Sources.AddBuiltin("embedded", store)
		a.openReceiver(c.Receive)
	}
	a.openPlugins()
	return a.Sources.Reload(ctx)
}

// openReceiver takes what others send into the embedded store.
func (a *App) openReceiver(c ReceiveConfig) {
	if !c.Enabled {
		return
	}
	a.Receiver = receive.New(receive.Options{
		Store: a.Store, OutOfOrder: time.Duration(c.OutOfOrder), MaxSeries: c.MaxSeries, MaxBody: c.MaxBody, Promote: c.Promote, Log: a.log,
	})
	a.Sources.ReceiveFor("embedded", a.Receiver)
}

// openPlugins names the programs that are data sources. They do not see the
// server's own settings.
func (a *App) openPlugins() {
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TEITEN_") })
	for _, c := range a.config.Metrics.Plugins {
		p := plugin.New(plugin.Options{Name: c.Name, Command: c.Command, Timeout: time.Duration(c.Timeout), Environ: environ, Log: a.log})
		a.later(func(context.Context) error { return p.Close() })
		a.Sources.AddOwn(c.Name, metrics.KindPlugin, p)
	}
}

// openProbes lets probes reach what the configuration allows.
func (a *App) openProbes() {
	d := probe.Deps{
		DB: a.db, Journal: a.Journal, Queue: a.queue, Catalog: a.Catalog, Events: a.Events, Objectives: a.SLO, Documents: a.AsCode,
		Env: probecheck.Env{Reach: probecheck.NewReach(a.config.Probe.AllowNetworks), Secrets: a.config.secrets(), Now: a.now},
		Now: a.now, Log: a.log,
	}
	if a.Store != nil {
		d.Samples = a.Store
	}
	a.Probes = probe.New(d)
}

// openOncall lets schedules name people of the catalog and those with an account.
func (a *App) openOncall() {
	a.Oncall = oncall.New(oncall.Deps{DB: a.db, Journal: a.Journal, Catalog: a.Catalog, Accounts: a.Access, Documents: a.AsCode,
		Measures: a.Measures, Permit: access.MayEdit, Now: a.now, BaseURL: a.URL()})
	for kind, announcement := range oncall.Announcements() {
		a.Notify.Announce(kind, announcement)
	}
	a.Oncall.Schedule(a.queue)
	a.Oncall.Measures(a.Measures)
}

// openRouting decides who hears of an alert, by documents, silences and the
// maintenance of services.
func (a *App) openRouting() {
	a.Routing = routing.New(routing.Deps{DB: a.db, Journal: a.Journal, Catalog: a.Catalog, Documents: a.AsCode, Registry: a.AsCode.Registry(), Now: a.now, Log: a.log})
	a.Routing.Subscribe(a.Journal)
	routing.Announce(a.Notify)
}

// openAlerts lets alerts in, those of our own objectives through the same door,
// and has channels hear of their groups.
func (a *App) openAlerts(ctx context.Context) error {
	spool, err := a.openSpool(ctx)
	if err != nil {
		return err
	}
	c := a.config.Alert
	a.Alerts = alert.New(alert.Deps{
		DB: a.db, Spool: spool, Journal: a.Journal, Queue: a.queue, Catalog: a.Catalog, Permit: access.MayEdit, Now: a.now, Log: a.log, BaseURL: a.URL(),
		Backlog: c.Backlog, Forgotten: time.Duration(c.Forgotten), Retention: alert.Retention{Raw: time.Duration(c.Retention.Raw), Closed: time.Duration(c.Retention.Closed)},
		Routes: a.Routing.Router,
	})
	a.Routing.History = a.Alerts
	for _, kind := range []string{slo.EntryAlertFired, slo.EntryAlertResolved} {
		a.Journal.Subscribe(kind, "alert", a.Alerts.Hear)
	}
	for kind, said := range alert.Announcements() {
		a.Notify.Announce(kind, said)
	}
	return nil
}

// openSpool opens the file that takes alerts in beside a SQLite database, which
// has one writer. PostgreSQL needs none.
func (a *App) openSpool(ctx context.Context) (*database.DB, error) {
	if a.db.Dialect() != database.SQLite {
		return nil, nil
	}
	spool, err := database.Open(ctx, "sqlite:"+filepath.Join(a.config.Data, "intake.db"))
	if err != nil {
		return nil, err
	}
	a.later(func(context.Context) error { return spool.Close() })
	return spool, spool.Migrate(ctx, "spool", alert.SpoolMigrations)
}

// openPages lets pages reach people by ways of their own.
func (a *App) openPages(ctx context.Context) (err error) {
	a.Pages, err = page.New(ctx, page.Deps{DB: a.db, Journal: a.Journal, Notify: a.Notify, Catalog: a.Catalog, Oncall: a.Oncall, Groups: a.Alerts,
		Now: a.now, Log: a.log, BaseURL: a.URL(), Heartbeat: a.config.Notify.Heartbeat})
	if err == nil {
		a.Pages.Ways()
	}
	return err
}

// openIncidents lets incidents name people, and read what they burned.
func (a *App) openIncidents() {
	a.Incidents = incident.New(incident.Deps{DB: a.db, Journal: a.Journal, Catalog: a.Catalog, People: a.Oncall, Budgets: a.SLO,
		Now: a.now, BaseURL: a.URL()})
	for kind, said := range incident.Announcements() {
		a.Notify.Announce(kind, said)
	}
	a.Incidents.Schedule(a.queue)
	a.Incidents.Measures(a.Measures)
}

// openAPI puts every room's operations and pages behind one handler.
func (a *App) openAPI(context.Context) error {
	a.api = httpapi.New(httpapi.Options{
		Title: "Teiten", Version: Version, BaseURL: a.URL(), Log: a.log, Now: a.now,
		Authorizer: a.Access, TrustedProxies: a.config.TrustedProxies, Observe: a.newSelfMetrics().observe,
	})
	for _, room := range []interface{ Register(a *httpapi.API) }{
		a.Journal, a.Measures, a.AsCode, a.Access, a.Notify, a.Catalog, a.Sources, a.Events, a.SLO, a.Probes, a.Oncall, a.Alerts, a.Routing, a.Pages,
		alertmanager.New(a.Alerts, a.Routing, Version, a.started),
		a.Incidents,
	} {
		room.Register(a.api)
	}
	if a.Receiver != nil {
		a.Receiver.Register(a.api)
	}
	a.metrics.MustRegister(a.SLO.Collector(), a.Notify.Collector(), a.Sources.Collector())
	a.registerSystem()
	a.api.Mux().Handle("/", web.Handler())
	return nil
}

// part is what runs for as long as the server does.
type part struct {
	name string
	run  func(ctx context.Context) error
}

func (a *App) background() []part {
	parts := []part{
		{"messages", a.Notify.Run},
		{"pages", a.Pages.Run},
		{"data sources", a.Sources.Run},
		{"objectives", a.SLO.Run},
		{"alerts", a.Alerts.Run},
		{"alert routing", a.Routing.Run},
	}
	if a.Store != nil {
		parts = append(parts, part{"scraping", a.Store.Run})
	}
	if a.config.Probe.Enabled {
		parts = append(parts, part{"probes", a.Probes.Run})
	}
	return parts
}

// checks are what readiness depends on.
func (a *App) checks() []check {
	checks := []check{{"database", func(ctx context.Context) error {
		// A write, because a full disk still reads.
		return a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE queue_leases SET ran_at = ran_at WHERE name = ''")
			return err
		})
	}}}
	if a.Store != nil {
		checks = append(checks, check{"metrics", a.Store.Check})
	}
	return checks
}
