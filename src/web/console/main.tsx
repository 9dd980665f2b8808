import { render } from 'preact'
import '../theme.css'
import './console.css'
import { Console } from './shell.tsx'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
render(<Console />, root)
