package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// provider answers what validate, plan and apply of a module of resources ask. It is no server of what it does not
// override: a module that needs that fails, since nobody answers.
type provider struct {
	tfprotov5.ProviderServer
	resources map[string]*tfprotov5.Schema
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	out := &tfprotov5.GetMetadataResponse{}
	for name := range p.resources {
		out.Resources = append(out.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	return out, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{
		Provider:        &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{}},
		ResourceSchemas: p.resources,
	}, nil
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) PrepareProviderConfig(_ context.Context, r *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

// ValidateResourceTypeConfig refuses values for what only the cloud says: of all that the schema says this alone is left
// to providers.
func (p *provider) ValidateResourceTypeConfig(_ context.Context, r *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	out := &tfprotov5.ValidateResourceTypeConfigResponse{}
	schema := p.resources[r.TypeName]
	v, err := r.Config.Unmarshal(schema.ValueType())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.TypeName, err)
	}
	var look change = func(a *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
		if a.Computed && !a.Optional && !v.IsNull() {
			out.Diagnostics = append(out.Diagnostics, &tfprotov5.Diagnostic{
				Severity: tfprotov5.DiagnosticSeverityError,
				Summary:  "Value for unconfigurable attribute",
				Detail:   fmt.Sprintf("Nobody can set %s of %s: the provider does.", a.Name, r.TypeName),
			})
		}
		return v
	}
	_, err = look.block(schema.Block, v)
	return out, err
}

func (p *provider) UpgradeResourceState(_ context.Context, r *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	kind := p.resources[r.TypeName].ValueType()
	v, err := r.RawState.Unmarshal(kind)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", r.TypeName, err)
	}
	state, err := tfprotov5.NewDynamicValue(kind, v)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (p *provider) ReadResource(_ context.Context, r *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: r.CurrentState}, nil
}

// PlanResourceChange plans what is proposed. The cloud decides what a new resource leaves out.
func (p *provider) PlanResourceChange(_ context.Context, r *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	out := &tfprotov5.PlanResourceChangeResponse{PlannedState: r.ProposedNewState, UnsafeToUseLegacyTypeSystem: true}
	fresh, err1 := r.PriorState.IsNull()
	destroyed, err2 := r.ProposedNewState.IsNull()
	if err := errors.Join(err1, err2); err != nil || destroyed || !fresh {
		return out, err
	}
	return out, p.replace(r.TypeName, &out.PlannedState, undecided)
}

// ApplyResourceChange applies what is planned, with a value for everything that was left to the cloud.
func (p *provider) ApplyResourceChange(_ context.Context, r *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	out := &tfprotov5.ApplyResourceChangeResponse{NewState: r.PlannedState, UnsafeToUseLegacyTypeSystem: true}
	destroyed, err := r.PlannedState.IsNull()
	if err != nil || destroyed {
		return out, err
	}
	return out, p.replace(r.TypeName, &out.NewState, decided(r.TypeName, r.Config))
}

// replace changes the attributes of a resource.
func (p *provider) replace(resource string, state **tfprotov5.DynamicValue, change change) error {
	schema := p.resources[resource]
	v, err := (*state).Unmarshal(schema.ValueType())
	if err != nil {
		return fmt.Errorf("%s: %w", resource, err)
	}
	changed, err := change.block(schema.Block, v)
	if err != nil {
		return fmt.Errorf("%s: %w", resource, err)
	}
	out, err := tfprotov5.NewDynamicValue(schema.ValueType(), changed)
	*state = &out
	return err
}
