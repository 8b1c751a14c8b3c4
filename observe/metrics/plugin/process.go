package plugin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/text"
)

const (
	endWithin = 5 * time.Second // after its input was closed, before it is killed
	mostLog   = 4 << 10         // bytes of a line of its standard error
)

// process is one life of a plug-in.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   *slog.Logger
	began time.Time
	done  chan struct{} // closed when it has ended

	writing sync.Mutex
	input   io.WriteCloser
	outputs []io.Closer

	mu      sync.Mutex
	last    int64 // id of a question
	waiting map[int64]chan response
	late    int // questions in a row without an answer
	err     error
}

// start runs the program and waits for its first line.
func start(ctx context.Context, o Options) (*process, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("no command")
	}
	p := &process{name: o.Name, log: o.Log, began: o.Now(), done: make(chan struct{}), waiting: map[int64]chan response{}}
	// It outlives the question that it is started for.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), o.Command[0], o.Command[1:]...) //nolint:gosec // the operator names it
	p.cmd.Env, p.cmd.WaitDelay = o.Environ, endWithin
	var err error
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	complaints, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p.outputs = []io.Closer{output, complaints}
	var readers sync.WaitGroup
	readers.Go(func() { p.forward(complaints) })
	greeted := make(chan error, 1)
	readers.Go(func() { p.listen(output, greeted) })
	go func() {
		readers.Wait()
		p.finish(p.cmd.Wait())
	}()
	select {
	case err := <-greeted:
		if err != nil {
			p.end()
			return nil, err
		}
		return p, nil
	case <-ctx.Done():
		p.end()
		return nil, fmt.Errorf("it did not greet: %w", context.Cause(ctx))
	}
}

// listen reads the greeting and then answers until the output ends. Whoever
// breaks the protocol is ended: there is no telling what belongs to what.
func (p *process) listen(output io.Reader, greeted chan<- error) {
	lines := bufio.NewScanner(output)
	lines.Buffer(make([]byte, 0, 64<<10), mostLine)
	greeted <- p.greet(lines)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		r, err := read(lines.Bytes())
		if err != nil {
			p.fail(nonsense(p.name, text.Say("%s", "%s", err.Error())))
			break
		}
		p.mu.Lock()
		to := p.waiting[r.ID]
		delete(p.waiting, r.ID)
		p.late = 0
		p.mu.Unlock()
		if to != nil { // nobody waits any more for one that comes late
			to <- r
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		p.fail(nonsense(p.name, text.Say("an answer is longer than %d bytes", "応答が%dバイトを超えています", mostLine)))
	}
	_, _ = io.Copy(io.Discard, output) // so that it can end
}

func (p *process) greet(lines *bufio.Scanner) error {
	var h hello
	switch {
	case !lines.Scan():
		return errors.New("it ended before it greeted")
	case json.Unmarshal(lines.Bytes(), &h) != nil:
		return nonsense(p.name, text.Say("its first line is no greeting", "最初の行が挨拶ではありません"))
	case h.Protocol != Version:
		return nonsense(p.name, text.Say("it speaks version %d of the protocol, not %d", "プロトコルのバージョンが%dです(必要: %d)", h.Protocol, Version))
	}
	return nil
}

// forward writes the program's complaints to the log, cut where they are long.
func (p *process) forward(complaints io.Reader) {
	lines := bufio.NewReaderSize(complaints, mostLog)
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		p.log.Info("plug-in says", "source", p.name, "line", string(line), "cut", more)
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
	}
}

// ask sends a question and waits for its answer.
func (p *process) ask(ctx context.Context, q request) (response, error) {
	to := make(chan response, 1)
	p.mu.Lock()
	p.last++
	q.ID = p.last
	p.waiting[q.ID] = to
	p.mu.Unlock()
	line, err := q.line()
	if err != nil {
		return response{}, err
	}
	go p.write(line) // a program that does not read must not hold up who asks
	select {
	case r := <-to:
		return r, nil
	case <-p.done:
		return response{}, p.why()
	case <-ctx.Done():
		p.giveUp(q.ID, errors.Is(context.Cause(ctx), errLate))
		return response{}, context.Cause(ctx)
	}
}

func (p *process) write(line []byte) {
	p.writing.Lock()
	defer p.writing.Unlock()
	if _, err := p.input.Write(line); err != nil {
		p.fail(fmt.Errorf("write to it: %w", err))
	}
}

// giveUp forgets a question. After several without an answer the program counts
// as stuck and is ended.
func (p *process) giveUp(id int64, late bool) {
	p.mu.Lock()
	delete(p.waiting, id)
	if late {
		p.late++
	}
	stuck := p.late >= lateInARow
	p.mu.Unlock()
	if stuck {
		p.fail(errors.New("it answered nothing any more"))
	}
}

// fail ends the program for a reason.
func (p *process) fail(why error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = why
	}
	p.mu.Unlock()
	p.kill()
}

// kill ends the program at once. What it has started itself loses its input, and
// is waited for no longer than a moment.
func (p *process) kill() {
	_ = p.input.Close()
	_ = p.cmd.Process.Kill() // it may have ended
	time.AfterFunc(endWithin, func() {
		for _, o := range p.outputs {
			_ = o.Close()
		}
	})
}

// finish notes that the program has ended.
func (p *process) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = errors.Join(errors.New("it ended"), err)
	}
	close(p.done)
}

// end asks the program to end, and makes it where it does not.
func (p *process) end() {
	_ = p.input.Close() // the sign to end
	select {
	case <-p.done:
	case <-time.After(endWithin):
		p.kill()
		<-p.done
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) why() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
