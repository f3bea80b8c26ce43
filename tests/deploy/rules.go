package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
	k8syaml "sigs.k8s.io/yaml"
)

// namespace is a file of mimirtool's, and a rule file of Thanos': Prometheus' own groups with a field or two more.
type namespace struct {
	Namespace string  `yaml:"namespace,omitempty"`
	Groups    []group `yaml:"groups"`
}

type group struct {
	rulefmt.RuleGroup `yaml:",inline"`
	Strategy          string `yaml:"partial_response_strategy,omitempty"`
}

// rules reads a file with the fields of its engine and no other, then has Prometheus read its groups.
func rules(path string, fits func(namespace) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var read namespace
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&read); err != nil {
		return err
	}
	return errors.Join(fits(read), parse(text, true))
}

// mimir also writes the groups anew, as mimirtool does to send them.
func mimir(read namespace) error {
	if read.Namespace == "" {
		return errors.New("no namespace")
	}
	var plain rulefmt.RuleGroups
	for _, one := range read.Groups {
		if one.Strategy != "" || len(one.Rules) > 20 {
			return errors.New(one.Name + ": a strategy, or more than 20 rules")
		}
		plain.Groups = append(plain.Groups, one.RuleGroup)
	}
	sent, err := yaml.Marshal(plain)
	if err != nil {
		return err
	}
	return parse(sent, false)
}

func thanos(read namespace) error {
	for _, one := range read.Groups {
		if one.Strategy != "abort" && one.Strategy != "warn" {
			return errors.New(one.Name + ": no strategy")
		}
	}
	if read.Namespace != "" {
		return errors.New("a namespace")
	}
	return nil
}

// operated has Prometheus read what the operator writes for it.
func operated(object *monitoringv1.PrometheusRule) error {
	text, err := k8syaml.Marshal(object.Spec)
	if err != nil {
		return err
	}
	return parse(text, false)
}

func parse(text []byte, unknown bool) error {
	_, faults := rulefmt.Parse(text, unknown, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	var said []string
	for _, fault := range faults {
		said = append(said, fault.Error())
	}
	if len(said) > 0 {
		return errors.New(strings.Join(said, "\n"))
	}
	return nil
}
