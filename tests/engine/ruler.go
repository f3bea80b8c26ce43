package main

import (
	"context"
	"os"
	"sort"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// Span is a time in which an alert fired: first and last evaluation that found it firing.
type Span struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	FromS       float64           `json:"from_s"`
	ToS         float64           `json:"to_s"`
}

type group struct {
	*rules.Group
	next  time.Time
	evals int
}

// ruler evaluates rule groups in the order of their time, each at its own interval and slot offset, and keeps
// notes of what the manager of a real server would only show in metrics.
type ruler struct {
	engine  *engine
	groups  map[string]*group
	down    [][2]int64
	errors  map[string]int
	samples map[string]int64 // read by each group's rules
	evals   int
	spans   []*Span
	open    map[string]*Span
	names   map[*rules.AlertingRule]string
	reloads []RuleSet
}

func newRuler(e *engine, c Case) *ruler {
	r := &ruler{engine: e, groups: map[string]*group{}, errors: map[string]int{}, samples: map[string]int64{},
		open: map[string]*Span{}, names: map[*rules.AlertingRule]string{}, reloads: c.Rules}
	for _, d := range c.Down {
		r.down = append(r.down, [2]int64{milliseconds(d[0]), milliseconds(d[1])})
	}
	sort.SliceStable(r.reloads, func(a, b int) bool { return r.reloads[a].AtS < r.reloads[b].AtS })
	return r
}

// load replaces the rules as a reload does: equal groups run on, changed ones inherit their state by name.
func (r *ruler) load(set RuleSet) error {
	names := make([]string, 0, len(set.Files))
	for name, text := range set.Files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
		names = append(names, name)
	}
	sort.Strings(names)
	loaded, err := r.engine.loadGroups(names)
	if err != nil {
		return err
	}
	now := time.UnixMilli(milliseconds(set.AtS))
	groups := map[string]*group{}
	for key, fresh := range loaded {
		old, known := r.groups[key]
		if known && old.Equals(fresh) {
			groups[key] = old
			continue
		}
		if known {
			fresh.CopyState(old.Group)
		}
		first := fresh.EvalTimestamp(now.UnixNano())
		if first.Before(now) {
			first = first.Add(fresh.Interval())
		}
		groups[key] = &group{Group: fresh, next: first}
	}
	r.groups = groups
	return nil
}

// nextGroup returns the group that is due first, or nil when a reload or the end (`until`) comes before.
func (r *ruler) nextGroup(until time.Time) (string, *group) {
	var due *group
	var dueKey string
	for key, g := range r.groups {
		if !g.next.After(until) && (due == nil || g.next.Before(due.next) || (g.next.Equal(due.next) && key < dueKey)) {
			due, dueKey = g, key
		}
	}
	return dueKey, due
}

func (r *ruler) isDown(ms int64) bool {
	for _, d := range r.down {
		if ms >= d[0] && ms < d[1] {
			return true
		}
	}
	return false
}

// run plays the whole case: samples arrive, rules are loaded and evaluated, in the order of simulated time.
func (r *ruler) run(ctx context.Context, feeds []*feed, endS float64) error {
	end := time.UnixMilli(milliseconds(endS))
	for {
		until := end
		if len(r.reloads) > 0 {
			until = time.UnixMilli(milliseconds(r.reloads[0].AtS))
		}
		for key, g := r.nextGroup(until); g != nil; key, g = r.nextGroup(until) {
			if err := r.engine.append(ctx, feeds, g.next.UnixMilli()); err != nil {
				return err
			}
			r.evaluate(ctx, key, g)
		}
		if len(r.reloads) == 0 {
			return r.engine.append(ctx, feeds, end.UnixMilli())
		}
		if err := r.load(r.reloads[0]); err != nil {
			return err
		}
		r.reloads = r.reloads[1:]
	}
}

func (r *ruler) evaluate(ctx context.Context, key string, g *group) {
	at := g.next
	g.next = at.Add(g.Interval())
	if r.isDown(at.UnixMilli()) {
		return
	}
	before := r.engine.samples
	g.Eval(ctx, at)
	r.samples[g.Name()] += r.engine.samples - before
	r.evals += len(g.Rules())
	if g.evals++; g.evals == 2 {
		g.RestoreForState(at) // as a server does after its second evaluation; until then it writes no ALERTS
	}
	for _, rule := range g.Rules() {
		if err := rule.LastError(); err != nil {
			r.errors[g.Name()+"/"+rule.Name()+": "+err.Error()]++
		}
		if alert, ok := rule.(*rules.AlertingRule); ok {
			r.note(r.identity(key, alert), alert, float64(at.UnixMilli()-epochMs)/1000)
		}
	}
}

// identity returns what makes a rule the same one after a reload: group, name and labels.
func (r *ruler) identity(key string, alert *rules.AlertingRule) string {
	name, known := r.names[alert]
	if !known {
		name = key + "\x00" + alert.Name() + alert.Labels().String()
		r.names[alert] = name
	}
	return name
}

// note opens, prolongs and closes the firing spans of one alerting rule.
func (r *ruler) note(rule string, alert *rules.AlertingRule, atS float64) {
	for _, a := range alert.ActiveAlerts() {
		if a.State != rules.StateFiring {
			continue
		}
		id := rule + "\x00" + a.Labels.String()
		if r.open[id] == nil {
			r.open[id] = &Span{Labels: a.Labels.Map(), Annotations: a.Annotations.Map(), FromS: atS}
			r.spans = append(r.spans, r.open[id])
		}
		r.open[id].ToS = atS
	}
	for id, span := range r.open {
		if len(id) > len(rule) && id[:len(rule)+1] == rule+"\x00" && span.ToS != atS {
			delete(r.open, id)
		}
	}
}
