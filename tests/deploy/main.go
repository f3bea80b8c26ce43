// Reads deployment files with the very code that reads them in production, and says what is wrong with them.
//
//	check alertmanager FILE   Alertmanager's own reader of configurations, its newest version, matchers strict
//	check route FILE LABELS   the receivers that an alert with these labels (JSON) reaches there, one a line
//	check compose FILE        the reader of docker compose
//	check image FILE          the reader of docker build
//	check mimir FILE          mimirtool's fields around Prometheus' own groups, which Prometheus then reads
//	check thanos FILE         the same with Thanos' fields
//	check kubernetes FILE     Kubernetes' and the Prometheus operator's own types; unknown fields are refused
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/common/model"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

var kinds = map[string]func() any{
	"v1/ConfigMap":                                      func() any { return new(corev1.ConfigMap) },
	"v1/Namespace":                                      func() any { return new(corev1.Namespace) },
	"v1/PersistentVolumeClaim":                          func() any { return new(corev1.PersistentVolumeClaim) },
	"v1/Secret":                                         func() any { return new(corev1.Secret) },
	"v1/Service":                                        func() any { return new(corev1.Service) },
	"v1/ServiceAccount":                                 func() any { return new(corev1.ServiceAccount) },
	"apps/v1/Deployment":                                func() any { return new(appsv1.Deployment) },
	"apps/v1/StatefulSet":                               func() any { return new(appsv1.StatefulSet) },
	"networking.k8s.io/v1/Ingress":                      func() any { return new(networkingv1.Ingress) },
	"networking.k8s.io/v1/NetworkPolicy":                func() any { return new(networkingv1.NetworkPolicy) },
	"policy/v1/PodDisruptionBudget":                     func() any { return new(policyv1.PodDisruptionBudget) },
	"rbac.authorization.k8s.io/v1/ClusterRole":          func() any { return new(rbacv1.ClusterRole) },
	"rbac.authorization.k8s.io/v1/ClusterRoleBinding":   func() any { return new(rbacv1.ClusterRoleBinding) },
	"rbac.authorization.k8s.io/v1/Role":                 func() any { return new(rbacv1.Role) },
	"rbac.authorization.k8s.io/v1/RoleBinding":          func() any { return new(rbacv1.RoleBinding) },
	"monitoring.coreos.com/v1/Alertmanager":             func() any { return new(monitoringv1.Alertmanager) },
	"monitoring.coreos.com/v1/PodMonitor":               func() any { return new(monitoringv1.PodMonitor) },
	"monitoring.coreos.com/v1/Prometheus":               func() any { return new(monitoringv1.Prometheus) },
	"monitoring.coreos.com/v1/PrometheusRule":           func() any { return new(monitoringv1.PrometheusRule) },
	"monitoring.coreos.com/v1/ServiceMonitor":           func() any { return new(monitoringv1.ServiceMonitor) },
	"monitoring.coreos.com/v1alpha1/AlertmanagerConfig": func() any { return new(monitoringv1alpha1.AlertmanagerConfig) },
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: check alertmanager|route|compose|image|mimir|thanos|kubernetes FILE [LABELS]")
	}
	switch args[0] {
	case "alertmanager":
		_, err := alertmanager(args[1])
		return err
	case "route":
		return route(args[1], args[2])
	case "compose":
		return compose(args[1])
	case "image":
		return image(args[1])
	case "mimir":
		return rules(args[1], mimir)
	case "thanos":
		return rules(args[1], thanos)
	case "kubernetes":
		return kubernetes(args[1])
	}
	return fmt.Errorf("cannot check %s", args[0])
}

func alertmanager(path string) (*config.Config, error) {
	flags, err := featurecontrol.NewFlags(slog.Default(), featurecontrol.FeatureUTF8StrictMode)
	if err != nil {
		return nil, err
	}
	compat.InitFromFlags(slog.Default(), flags)
	return config.LoadFile(path)
}

func route(path, labels string) error {
	loaded, err := alertmanager(path)
	if err != nil {
		return err
	}
	var alert model.LabelSet
	if err := json.Unmarshal([]byte(labels), &alert); err != nil {
		return err
	}
	for _, reached := range dispatch.NewRoute(loaded.Route, nil).Match(alert) {
		fmt.Println(reached.RouteOpts.Receiver)
	}
	return nil
}

func compose(path string) error {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithInterpolation(true), cli.WithResolvedPaths(false))
	if err != nil {
		return err
	}
	_, err = options.LoadProject(context.Background())
	return err
}

func image(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	read, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return err
	}
	_, _, err = instructions.Parse(read.AST, nil)
	return err
}

func kubernetes(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			return err
		}
		make, known := kinds[head.APIVersion+"/"+head.Kind]
		if !known {
			return fmt.Errorf("no type is known for %s %s", head.APIVersion, head.Kind)
		}
		object := make()
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			return fmt.Errorf("%s: %w", head.Kind, err)
		}
		if rule, is := object.(*monitoringv1.PrometheusRule); is {
			if err := operated(rule); err != nil {
				return err
			}
		}
		if routes, is := object.(*monitoringv1alpha1.AlertmanagerConfig); is {
			if err := children(routes.Spec.Route); err != nil {
				return err
			}
		}
	}
	return nil
}

// children reads the routes below a route, which are kept unread.
func children(route *monitoringv1alpha1.Route) error {
	below, err := route.ChildRoutes()
	for index := range below {
		if err == nil {
			err = children(&below[index])
		}
	}
	return err
}
